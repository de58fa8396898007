"""The exponential score of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._models import ExponentialRule

__all__ = ["ExponentialScore"]


@frozen(kw_only=True)
class ExponentialScore(ScoringRuleConfig):
    """`sum exp((f_k - f_m) / 2)` over the other models k: confident mistakes weigh much, for extreme Bayes factors."""

    name: ClassVar[str] = "exponential"
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

    def build(self) -> ExponentialRule:
        """The rule."""
        from ._models import ExponentialRule

        return ExponentialRule()
