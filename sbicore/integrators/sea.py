"""Shifted Euler for additive noise."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import frozen
from ..references import Reference
from ._config import StochasticConfig
from ._references import FOSTER

__all__ = ["SEA"]


@frozen(kw_only=True)
class SEA(StochasticConfig):
    """Strong order 1 for additive noise, one evaluation a step, with a smaller error than Euler and Maruyama's.

    The drift is evaluated at a point moved by the mean of the path over the step (arXiv:2210.17543).
    """

    name: ClassVar[str] = "sea"
    order: ClassVar[float] = 1.0
    references: ClassVar[tuple[Reference, ...]] = (FOSTER,)
    default_steps: ClassVar[int] = 100

    @staticmethod
    def step(drift: Any, scale: Any, x: Any, t: float, h: float, w: Any, area: Any) -> Any:
        """`x + h f(t, x + g (W / 2 + H)) + g W`."""
        g = scale(t)
        return x + h * drift(t, x + g * (w / 2 + area)) + g * w
