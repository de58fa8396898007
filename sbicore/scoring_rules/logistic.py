"""The logistic score of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..fields import number
from ..references import Reference

if TYPE_CHECKING:
    from ._models import LogisticRule

__all__ = ["LogisticScore"]


@frozen(kw_only=True)
class LogisticScore(ScoringRuleConfig):
    """`sum (1 + exp((f_k - f_m) / (a + 1)))^a` over the other models k, and `sum log(1 + exp(f_k - f_m))` for a = 0."""

    name: ClassVar[str] = "logistic"
    targets: ClassVar[str] = "one_hot"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Jeffrey, Niall and Wandelt, Benjamin D.",
            title="Evidence Networks: simple losses for fast, amortized, neural Bayesian model comparison",
            year=2024,
            venue="Machine Learning: Science and Technology",
            arxiv="2305.11241",
        ),
    )

    alpha: float = number(0.0, ge=0.0, doc="Weight of confident mistakes.")

    def build(self) -> LogisticRule:
        """The rule."""
        from ._models import LogisticRule

        return LogisticRule(self.alpha)
