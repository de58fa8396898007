"""Steps of the reverse diffusion, each followed by Langevin steps."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, ClassVar

from ..config import frozen
from ..fields import integer, number
from ..references import Reference
from ._config import DenoisingConfig

__all__ = ["PredictorCorrector"]


@frozen(kw_only=True)
class PredictorCorrector(DenoisingConfig):
    """A step of the reverse diffusion, then Langevin steps at the new level (arXiv:2011.13456, algorithms 2 and 4).

    A Langevin step has the size `2 (snr |noise| / |score|)^2`, with norms over all draws of an observation. The
    last step is the guess of the data.
    """

    name: ClassVar[str] = "predictor_corrector"
    order: ClassVar[float] = 1.0
    stochastic: ClassVar[bool] = True
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=(
                "Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and "
                "Ermon, Stefano and Poole, Ben"
            ),
            title="Score-Based Generative Modeling through Stochastic Differential Equations",
            year=2021,
            venue="International Conference on Learning Representations",
            arxiv="2011.13456",
        ),
    )
    default_steps: ClassVar[int] = 100

    corrector_steps: int = integer(1, ge=0, doc="Langevin steps after each step of the diffusion.")
    snr: float = number(0.16, gt=0.0, lt=1.0, doc="Signal-to-noise ratio of a Langevin step.")

    def march(self, denoise: Any, x: Any, sigmas: list[float], noise: Any) -> Any:
        """See `DenoisingConfig`."""
        for sigma, then in pairwise(sigmas):
            share = 1 - (then / sigma) ** 2
            guess = denoise(sigma, x)
            if then == 0:
                return guess
            x = x + share * (guess - x) + math.sqrt(share) * sigma * noise()
            for _ in range(self.corrector_steps):
                score = (denoise(then, x) - x) / then**2
                fresh = noise()
                axes = tuple(range(1, x.ndim))
                ratio = _power(fresh, axes) / _power(score, axes).clamp_min(1e-24)
                size = (2 * self.snr**2 * ratio).clamp_max(then**2)
                x = x + size * score + (2 * size).sqrt() * fresh
        return x


def _power(values: Any, axes: tuple[int, ...]) -> Any:
    return values.square().mean(axes, keepdim=True)
