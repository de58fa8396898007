"""The method of Euler and Maruyama."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import frozen
from ..references import Reference
from ._config import StochasticConfig

__all__ = ["EulerMaruyama"]


@frozen(kw_only=True)
class EulerMaruyama(StochasticConfig):
    """Strong order 1 for additive noise, one evaluation a step: Euler's step and the increment of the path."""

    name: ClassVar[str] = "euler_maruyama"
    order: ClassVar[float] = 1.0
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Maruyama, Gisiro",
            title="Continuous Markov processes and stochastic equations",
            year=1955,
            venue="Rendiconti del Circolo Matematico di Palermo",
            doi="10.1007/BF02846028",
        ),
    )
    default_steps: ClassVar[int] = 100

    @staticmethod
    def step(drift: Any, scale: Any, x: Any, t: float, h: float, w: Any, area: Any) -> Any:
        """`x + h f(t, x) + g(t) W`."""
        return x + h * drift(t, x) + scale(t) * w
