"""Dormand and Prince's 5(4) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import AdaptiveConfig

__all__ = ["Dopri5"]


@frozen(kw_only=True)
class Dopri5(AdaptiveConfig):
    """Order 5, adaptive, six evaluations a step: the usual choice. Other names: RK45, ode45.

    References:
        Dormand and Prince (1980), doi:10.1016/0771-050X(80)90013-3; error coefficients of
        Shampine (1986), doi:10.1090/S0025-5718-1986-0815836-3.
    """

    name: ClassVar[str] = "dopri5"
    order: ClassVar[int] = 5
