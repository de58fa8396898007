"""The log score of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._models import CrossEntropyRule

__all__ = ["CrossEntropyScore"]


@frozen(kw_only=True)
class CrossEntropyScore(ScoringRuleConfig):
    """Minus the log probability of the true model."""

    name: ClassVar[str] = "cross_entropy"
    targets: ClassVar[str] = "one_hot"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    def build(self) -> CrossEntropyRule:
        """The rule."""
        from ._models import CrossEntropyRule

        return CrossEntropyRule()
