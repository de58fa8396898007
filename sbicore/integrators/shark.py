"""Shifted additive-noise Runge-Kutta."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import frozen
from ..references import Reference
from ._config import StochasticConfig
from ._references import FOSTER

__all__ = ["SHARK"]

_LATER = 5 / 6


@frozen(kw_only=True)
class SHARK(StochasticConfig):
    """Strong order 1.5 for additive noise, two evaluations a step (arXiv:2210.17543)."""

    name: ClassVar[str] = "shark"
    order: ClassVar[float] = 1.5
    references: ClassVar[tuple[Reference, ...]] = (FOSTER,)
    default_steps: ClassVar[int] = 50

    @staticmethod
    def step(drift: Any, scale: Any, x: Any, t: float, h: float, w: Any, area: Any) -> Any:
        """Two slopes after a shift by the Lévy area, weighted 2/5 and 3/5, and so is the noise."""
        later = t + _LATER * h
        g, g_later = scale(t), scale(later)
        y = x + g * area
        first = drift(t, y)
        second = drift(later, y + _LATER * (h * first + g * w))
        return x + h * (0.4 * first + 0.6 * second) + g * (0.4 * w + 1.2 * area) + g_later * (0.6 * w - 1.2 * area)
