"""Tsallis scores of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..fields import number
from ..references import Reference

if TYPE_CHECKING:
    from ._models import PolynomialRule

__all__ = ["PolynomialScore"]


@frozen(kw_only=True)
class PolynomialScore(ScoringRuleConfig):
    """`(a - 1) / a sum p^a - p_m^(a - 1)` for the true model m: the log score as a goes to 1, the Brier score at 2."""

    name: ClassVar[str] = "polynomial"
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

    alpha: float = number(2.0, gt=1.0, doc="Power of the probabilities.")

    def build(self) -> PolynomialRule:
        """The rule."""
        from ._models import PolynomialRule

        return PolynomialRule(self.alpha)
