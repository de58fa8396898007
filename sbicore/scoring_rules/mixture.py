"""The log score of a mixture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import ScoringRuleConfig, frozen
from ..errors import ConfigError
from ..fields import component, integer
from ..references import Reference

if TYPE_CHECKING:
    from ._mixture import MixtureRule

__all__ = ["MixtureScore"]


@frozen(kw_only=True)
class MixtureScore(ScoringRuleConfig):
    """The log score of a mixture of one parametric rule's distributions, by default normals, with weights of their own.

    Raises:
        ConfigError: a component without density or draws.
    """

    name: ClassVar[str] = "mixture"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob", "log_score"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Bishop, Christopher M.",
            title="Mixture Density Networks",
            year=1994,
            venue="Aston University",
            url="https://publications.aston.ac.uk/id/eprint/373/",
        ),
    )

    components: int = integer(4, ge=2, doc="Number of components.")
    component: Any = component("scoring_rule", "mv_normal", doc="The parametric rule whose distributions are mixed.")

    def __attrs_post_init__(self) -> None:
        if not {"sample", "log_prob"} <= self.component.capabilities:
            raise ConfigError(
                f"{self.component.name!r} has no density to mix\nTake a parametric rule, such as 'mv_normal'."
            ).within("component")

    def build(self) -> MixtureRule:
        """The rule."""
        from ._mixture import MixtureRule

        return MixtureRule(self.component.build(), self.components)
