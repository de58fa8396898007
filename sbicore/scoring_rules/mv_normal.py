"""The log score of a multivariate normal."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..references import Reference

if TYPE_CHECKING:
    from ._mv_normal import MvNormalRule

__all__ = ["MvNormalScore"]


@frozen(kw_only=True)
class MvNormalScore(ScoringRuleConfig):
    """The log score of a multivariate normal of location `loc (D,)` and lower triangular factor `scale (D, D)`."""

    name: ClassVar[str] = "mv_normal"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob", "log_score"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    def build(self) -> MvNormalRule:
        """The rule."""
        from ._mv_normal import MvNormalRule

        return MvNormalRule()
