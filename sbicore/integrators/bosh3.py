"""Bogacki and Shampine's 3(2) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import AdaptiveConfig

__all__ = ["Bosh3"]


@frozen(kw_only=True)
class Bosh3(AdaptiveConfig):
    """Order 3, adaptive, three evaluations a step: the cheapest choice at loose tolerances."""

    name: ClassVar[str] = "bosh3"
    order: ClassVar[int] = 3
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Bogacki, Przemyslaw and Shampine, Lawrence F.",
            title="A 3(2) pair of Runge-Kutta formulas",
            year=1989,
            venue="Applied Mathematics Letters",
            doi="10.1016/0893-9659(89)90079-7",
        ),
    )
