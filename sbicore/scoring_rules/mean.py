"""The squared error, for means."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._elementwise import MeanRule

__all__ = ["MeanScore"]


@frozen(kw_only=True)
class MeanScore(ScoringRuleConfig):
    """The squared error, whose expectation is lowest at the mean."""

    name: ClassVar[str] = "mean"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    def build(self) -> MeanRule:
        """The rule."""
        from ._elementwise import MeanRule

        return MeanRule()
