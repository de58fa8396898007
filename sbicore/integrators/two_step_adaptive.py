"""Stochastic Heun with control of the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import IntegratorConfig, frozen
from ..fields import integer, number
from ..references import Reference

if TYPE_CHECKING:
    from ._two_step import TwoStep

__all__ = ["TwoStepAdaptive"]


@frozen(kw_only=True)
class TwoStepAdaptive(IntegratorConfig):
    """Adaptive steps of the stochastic Heun method, whose difference from Euler and Maruyama's estimates the error.

    Two evaluations an attempt; an attempt that is tried again sees the same path. Without `rtol` and `atol` these are
    0.05 and 0.01, for states of scale 1. An attempt is kept where the root mean square, over a row, of error over
    `max(atol, rtol |x|)` is at most 1 (arXiv:2105.14080, algorithm 1, with the scaled 2-norm).
    """

    name: ClassVar[str] = "two_step_adaptive"
    order: ClassVar[float] = 1.0
    adaptive: ClassVar[bool] = True
    stochastic: ClassVar[bool] = True
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=(
                "Jolicoeur-Martineau, Alexia and Li, Ke and Piché-Taillefer, Rémi and Kachman, Tal and "
                "Mitliagkas, Ioannis"
            ),
            title="Gotta Go Fast When Generating Data with Score-Based Models",
            year=2021,
            venue="arXiv preprint",
            arxiv="2105.14080",
        ),
    )
    default_rtol: ClassVar[float] = 0.05
    default_atol: ClassVar[float] = 0.01

    safety: float = number(0.9, gt=0.0, le=1.0, doc="Factor of the step that the error allows.")
    exponent: float = number(0.9, gt=0.5, le=1.0, doc="Of the error, in the next step.")
    max_evaluations: int = integer(
        20_000, ge=2, doc="Most evaluations of the drift per row; one more raises IntegrationError."
    )

    def build(self) -> TwoStep:
        """Make the integrator; its `integrate` documents the contract."""
        from ._two_step import TwoStep

        return TwoStep(self)

    @staticmethod
    def step(drift: Any, scale: Any, x: Any, t: float, h: float, w: Any, area: Any) -> Any:
        """Half the sum of two steps of Euler and Maruyama, the second with the slope at the end of the first."""
        first = x + h * drift(t, x) + scale(t) * w
        return (first + x + h * drift(t + h, first) + scale(t + h) * w) / 2
