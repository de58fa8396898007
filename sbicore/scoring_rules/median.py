"""The absolute error, for medians."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._elementwise import MedianRule

__all__ = ["MedianScore"]


@frozen(kw_only=True)
class MedianScore(ScoringRuleConfig):
    """The absolute error of each number, whose expectation is lowest at the median."""

    name: ClassVar[str] = "median"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    def build(self) -> MedianRule:
        """The rule."""
        from ._elementwise import MedianRule

        return MedianRule()
