"""The explicit midpoint rule."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import FixedStepConfig

__all__ = ["Midpoint"]


@frozen(kw_only=True)
class Midpoint(FixedStepConfig):
    """Order 2, two evaluations a step: the slope halfway along Euler's.

    References:
        Runge (1895), doi:10.1007/BF01446807.
    """

    name: ClassVar[str] = "midpoint"
    order: ClassVar[int] = 2
    default_steps: ClassVar[int] = 20
    solver: ClassVar[str] = "midpoint"
