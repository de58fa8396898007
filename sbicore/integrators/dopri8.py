"""Prince and Dormand's 8(7) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import AdaptiveConfig

__all__ = ["Dopri8"]


@frozen(kw_only=True)
class Dopri8(AdaptiveConfig):
    """Order 8, adaptive, thirteen evaluations a step: for tight tolerances in float64.

    References:
        Prince and Dormand (1981), doi:10.1016/0771-050X(81)90010-3 (RK8(7)13M).
    """

    name: ClassVar[str] = "dopri8"
    order: ClassVar[int] = 8
