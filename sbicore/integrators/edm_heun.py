"""Heun's method as EDM uses it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

from ..config import frozen
from ..references import Reference
from ._config import DenoisingConfig
from ._references import EDM

__all__ = ["EDMHeun"]


@frozen(kw_only=True)
class EDMHeun(DenoisingConfig):
    """Order 2, two evaluations a step and one for the last step to the data (arXiv:2206.00364, algorithm 1)."""

    name: ClassVar[str] = "edm_heun"
    order: ClassVar[float] = 2.0
    references: ClassVar[tuple[Reference, ...]] = (EDM,)
    default_steps: ClassVar[int] = 18

    def march(self, denoise: Any, x: Any, sigmas: list[float], noise: Any) -> Any:
        """See `DenoisingConfig`."""
        for sigma, then in pairwise(sigmas):
            slope = (x - denoise(sigma, x)) / sigma
            end = x + (then - sigma) * slope
            if then == 0:
                return end
            x = x + (then - sigma) * (slope + (end - denoise(then, end)) / then) / 2
        return x
