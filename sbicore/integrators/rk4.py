"""The 3/8 rule, a Runge-Kutta method of order 4."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import FixedStepConfig

__all__ = ["RK4"]


@frozen(kw_only=True)
class RK4(FixedStepConfig):
    """Order 4, four evaluations a step: the 3/8 rule, slightly more accurate than the classical one.

    References:
        Kutta (1901), Z. Math. Phys. 46, 435-453; as in Hairer, Norsett and Wanner (1993),
        Solving ODEs I, doi:10.1007/978-3-540-78862-1, table II.1.2.
    """

    name: ClassVar[str] = "rk4"
    order: ClassVar[int] = 4
    default_steps: ClassVar[int] = 10
    solver: ClassVar[str] = "rk4"
