"""Euler's method."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ..references import Reference
from ._config import FixedStepConfig

__all__ = ["Euler"]


@frozen(kw_only=True)
class Euler(FixedStepConfig):
    """Order 1, one evaluation a step. Euler gives it in chapter 7 of his second section."""

    name: ClassVar[str] = "euler"
    order: ClassVar[int] = 1
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Euler, Leonhard",
            title="Institutionum calculi integralis, volumen primum",
            year=1768,
            venue="Academia Imperialis Scientiarum, Petropoli",
            url="https://scholarlycommons.pacific.edu/euler-works/342/",
        ),
        Reference(
            authors="Hairer, Ernst and Nørsett, Syvert P. and Wanner, Gerhard",
            title="Solving Ordinary Differential Equations I: Nonstiff Problems",
            year=1993,
            venue="Springer",
            doi="10.1007/978-3-540-78862-1",
        ),
    )
    default_steps: ClassVar[int] = 100
    solver: ClassVar[str] = "euler"
