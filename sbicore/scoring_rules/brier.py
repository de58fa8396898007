"""The Brier score of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._models import BrierRule

__all__ = ["BrierScore"]


@frozen(kw_only=True)
class BrierScore(ScoringRuleConfig):
    """The squared distance of the probabilities from the true model."""

    name: ClassVar[str] = "brier"
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

    def build(self) -> BrierRule:
        """The rule."""
        from ._models import BrierRule

        return BrierRule()
