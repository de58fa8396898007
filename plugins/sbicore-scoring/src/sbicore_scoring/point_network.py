"""The config of `point_network`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sbicore.config import InferenceNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choices, component, numbers
from sbicore.references import Reference
from sbicore.registry import as_config

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import ScoringRuleModule

__all__ = ["PointNetwork"]

_RULES = {"mean": "mean", "median": "median", "quantiles": "quantile"}


@frozen(kw_only=True)
class PointNetwork(InferenceNetworkConfig):
    """Means, medians and quantiles of each parameter's posterior: `PointNetwork(["mean", "quantiles"])`."""

    name: ClassVar[str] = "point_network"
    approximator: ClassVar[str] = "ScoringRuleApproximator"
    positional: ClassVar[str | None] = "points"
    capabilities: ClassVar[frozenset[str]] = frozenset({"estimate"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Sainsbury-Dale, Matthew and Zammit-Mangion, Andrew and Huser, Raphael",
            title="Likelihood-Free Parameter Estimation with Neural Bayes Estimators",
            year=2024,
            venue="The American Statistician",
            arxiv="2208.12942",
        ),
    )

    points: tuple[str, ...] = choices(("mean",), options=tuple(_RULES), doc="Which estimates: one or several.")
    q: Any = numbers(None, optional=True, doc="Levels of the quantiles, by default 0.05, 0.25, 0.5, 0.75 and 0.95.")
    subnet: Any = component("subnet", "mlp", doc="The body; it reads the conditions.")

    def __attrs_post_init__(self) -> None:
        if self.q is not None and "quantiles" not in self.points:
            raise ConfigError("levels are given, but no quantiles asked for\nGive points=['quantiles', ...].").within(
                "q"
            )
        _ = self.rules

    @property
    def rules(self) -> Mapping[str, Any]:
        """The scoring rules that elicit the points."""
        levels = (0.05, 0.25, 0.5, 0.75, 0.95) if self.q is None else self.q
        more = {"quantiles": {"q": levels}}
        return {
            name: as_config({"name": _RULES[name], **more.get(name, {})}, kind="scoring_rule") for name in self.points
        }

    def build(self, shapes: Shapes) -> ScoringRuleModule:
        """The module."""
        from .module import ScoringRuleModule

        return ScoringRuleModule(self, shapes)
