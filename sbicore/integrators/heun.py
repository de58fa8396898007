"""Heun's method of order 2, the explicit trapezoidal rule."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import FixedStepConfig

__all__ = ["Heun"]


@frozen(kw_only=True)
class Heun(FixedStepConfig):
    """Order 2, two evaluations a step: the mean of the slopes at both ends.

    References:
        Heun (1900), Z. Math. Phys. 45, 23-38; as the sampler of Karras et al. (2022),
        arXiv:2206.00364.
    """

    name: ClassVar[str] = "heun"
    order: ClassVar[int] = 2
    default_steps: ClassVar[int] = 20
    solver: ClassVar[str] = "heun2"
