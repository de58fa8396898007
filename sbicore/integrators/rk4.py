"""The 3/8 rule, a Runge-Kutta method of order 4."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import FixedStepConfig

__all__ = ["RK4"]


@frozen(kw_only=True)
class RK4(FixedStepConfig):
    """Order 4, four evaluations a step: the 3/8 rule, slightly more accurate than the classical one.

    By Wilhelm Kutta (1901), Zeitschrift für Mathematik und Physik 46, 435-453; table II.1.2 of the reference.
    """

    name: ClassVar[str] = "rk4"
    order: ClassVar[int] = 4
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Hairer, Ernst and Nørsett, Syvert P. and Wanner, Gerhard",
            title="Solving Ordinary Differential Equations I: Nonstiff Problems",
            year=1993,
            venue="Springer",
            doi="10.1007/978-3-540-78862-1",
        ),
    )
    default_steps: ClassVar[int] = 10
    solver: ClassVar[str] = "rk4"
