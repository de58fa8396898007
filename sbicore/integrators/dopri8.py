"""Prince and Dormand's 8(7) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import AdaptiveConfig

__all__ = ["Dopri8"]


@frozen(kw_only=True)
class Dopri8(AdaptiveConfig):
    """Order 8, adaptive, thirteen evaluations a step: for tight tolerances in float64. RK8(7)13M of its authors."""

    name: ClassVar[str] = "dopri8"
    order: ClassVar[int] = 8
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Prince, Peter J. and Dormand, John R.",
            title="High order embedded Runge-Kutta formulae",
            year=1981,
            venue="Journal of Computational and Applied Mathematics",
            doi="10.1016/0771-050X(81)90010-3",
        ),
    )
