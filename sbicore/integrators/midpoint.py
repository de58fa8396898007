"""The explicit midpoint rule."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import FixedStepConfig

__all__ = ["Midpoint"]


@frozen(kw_only=True)
class Midpoint(FixedStepConfig):
    """Order 2, two evaluations a step: the slope halfway along Euler's."""

    name: ClassVar[str] = "midpoint"
    order: ClassVar[int] = 2
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Runge, Carl",
            title="Ueber die numerische Auflösung von Differentialgleichungen",
            year=1895,
            venue="Mathematische Annalen",
            doi="10.1007/BF01446807",
        ),
    )
    default_steps: ClassVar[int] = 20
    solver: ClassVar[str] = "midpoint"
