"""Dormand and Prince's 5(4) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import AdaptiveConfig

__all__ = ["Dopri5"]


@frozen(kw_only=True)
class Dopri5(AdaptiveConfig):
    """Order 5, adaptive, six evaluations a step: the usual choice. Other names: RK45, ode45.

    The error coefficients are Shampine's.
    """

    name: ClassVar[str] = "dopri5"
    order: ClassVar[int] = 5
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Dormand, John R. and Prince, Peter J.",
            title="A family of embedded Runge-Kutta formulae",
            year=1980,
            venue="Journal of Computational and Applied Mathematics",
            doi="10.1016/0771-050X(80)90013-3",
        ),
        Reference(
            authors="Shampine, Lawrence F.",
            title="Some practical Runge-Kutta formulas",
            year=1986,
            venue="Mathematics of Computation",
            doi="10.1090/S0025-5718-1986-0815836-3",
        ),
    )
