"""Heun's method of order 2, the explicit trapezoidal rule."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import FixedStepConfig
from ._references import EDM

__all__ = ["Heun"]


@frozen(kw_only=True)
class Heun(FixedStepConfig):
    """Order 2, two evaluations a step: the mean of the slopes at both ends.

    By Karl Heun (1900), Zeitschrift für Mathematik und Physik 45, 23-38; diffusion models sample with it.
    """

    name: ClassVar[str] = "heun"
    order: ClassVar[int] = 2
    references: ClassVar[tuple[Reference, ...]] = (
        EDM,
        Reference(
            authors="Hairer, Ernst and Nørsett, Syvert P. and Wanner, Gerhard",
            title="Solving Ordinary Differential Equations I: Nonstiff Problems",
            year=1993,
            venue="Springer",
            doi="10.1007/978-3-540-78862-1",
        ),
    )
    default_steps: ClassVar[int] = 20
    solver: ClassVar[str] = "heun2"
