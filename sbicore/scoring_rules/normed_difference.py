"""Powers of the error."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..fields import number
from ..references import Reference

if TYPE_CHECKING:
    from ._elementwise import DifferenceRule

__all__ = ["NormedDifferenceScore"]


@frozen(kw_only=True)
class NormedDifferenceScore(ScoringRuleConfig):
    """`|estimate - target|^k` of each number: between the median (k = 1) and the middle of the range (k large)."""

    name: ClassVar[str] = "normed_difference"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    k: float = number(2.0, ge=1.0, doc="Power of the error.")

    def build(self) -> DifferenceRule:
        """The rule."""
        from ._elementwise import DifferenceRule

        return DifferenceRule("value", self.k)
