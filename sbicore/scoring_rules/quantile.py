"""The pinball loss, for quantiles."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..errors import ConfigError
from ..fields import numbers
from ..references import Reference

if TYPE_CHECKING:
    from ._elementwise import QuantileRule

__all__ = ["QuantileScore"]


@frozen(kw_only=True)
class QuantileScore(ScoringRuleConfig):
    """The pinball loss of each number at each level; estimates never cross.

    Raises:
        ConfigError: levels that are not increasing, or outside (0, 1).
    """

    name: ClassVar[str] = "quantile"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Koenker, Roger and Bassett, Gilbert",
            title="Regression Quantiles",
            year=1978,
            venue="Econometrica",
            doi="10.2307/1913643",
        ),
    )

    q: tuple[float, ...] = numbers((0.1, 0.5, 0.9), doc="Levels, increasing, within (0, 1).")

    def __attrs_post_init__(self) -> None:
        levels = self.q
        if not isinstance(levels, tuple) or not levels or not all(isinstance(level, float) for level in levels):
            raise ConfigError(f"expected a list of levels, got {levels!r}").within("q")
        for level in levels:
            if not 0 < level < 1:
                raise ConfigError(f"levels lie between 0 and 1, got {level}").within("q")
        if any(one >= other for one, other in pairwise(levels)):
            raise ConfigError(f"levels must increase, got {list(levels)}\nGive: {sorted(set(levels))}").within("q")

    def build(self) -> QuantileRule:
        """The rule."""
        from ._elementwise import QuantileRule

        return QuantileRule(self.q)
