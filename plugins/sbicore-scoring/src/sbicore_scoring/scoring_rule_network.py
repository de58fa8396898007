"""The config of `scoring_rule_network`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from sbicore.config import Config, InferenceNetworkConfig, frozen
from sbicore.errors import ConfigError, SbicoreError
from sbicore.fields import component, components
from sbicore.references import Reference
from sbicore.registry import as_config

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import ScoringRuleModule

__all__ = ["RuleCapabilities", "ScoringRuleNetwork"]


class RuleCapabilities:
    """Estimates always; draws and densities where a rule is parametric. Of the class: whatever it can have."""

    def __get__(self, config: Any, owner: Any = None) -> frozenset[str]:
        parametric = {"sample", "log_prob"}
        able = config is None or any(parametric <= rule.capabilities for rule in config.rules.values())
        return frozenset({"estimate", *(parametric if able else ())})


@frozen(kw_only=True)
class ScoringRuleNetwork(InferenceNetworkConfig):
    """A shared body with a head for each scoring rule, trained on the mean of their scores.

    Rules are given as `scoring_rules={"quantiles": QuantileScore(q=[0.1, 0.9])}`, or each as a keyword argument of its
    own, `quantiles=...`; as instances, names or mappings.
    """

    name: ClassVar[str] = "scoring_rule_network"
    approximator: ClassVar[str] = "ScoringRuleApproximator"
    capabilities = RuleCapabilities()  # type: ignore[assignment]
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Gneiting, Tilmann and Raftery, Adrian E.",
            title="Strictly Proper Scoring Rules, Prediction, and Estimation",
            year=2007,
            venue="Journal of the American Statistical Association",
            doi="10.1198/016214506000001437",
        ),
    )

    scoring_rules: Mapping[str, Any] = components(
        "scoring_rule", ("mean", "quantile"), doc="A mapping from names to rules, a rule, or a list of rules."
    )
    subnet: Any = component("subnet", "mlp", doc="The body; it reads the conditions.")

    @classmethod
    def from_kwargs(cls, **kwargs: Any) -> ScoringRuleNetwork:
        """Also takes rules as keyword arguments."""
        known = {*(field.name for field in attrs.fields(cls)), "subnet_kwargs"}
        own = {key: rule for key, value in kwargs.items() if key not in known and (rule := _rule(value)) is not None}
        if own:
            given = kwargs.get("scoring_rules")
            if given is not None and not (isinstance(given, Mapping) and "name" not in given):
                raise ConfigError("give rules as keyword arguments, or as scoring_rules={name: rule}").within(
                    "scoring_rules"
                )
            rest = {key: value for key, value in kwargs.items() if key not in own}
            kwargs = {**rest, "scoring_rules": {**(given or {}), **own}}
        return super().from_kwargs(**kwargs)

    @property
    def rules(self) -> Mapping[str, Any]:
        """The rules in use, by name."""
        return self.scoring_rules

    @classmethod
    def examples(cls) -> tuple[Config, ...]:
        """With and without draws."""
        return (cls(), cls(scoring_rules={"normal": "mv_normal"}))

    def build(self, shapes: Shapes) -> ScoringRuleModule:
        """The module."""
        from .module import ScoringRuleModule

        return ScoringRuleModule(self, shapes)


def _rule(value: Any) -> Any:
    """The scoring rule that a value describes, also a misspelt one; None where it is something else."""
    if not isinstance(value, (str, Mapping, Config)):
        return None
    try:
        return as_config(value, kind="scoring_rule")
    except SbicoreError as error:
        if isinstance(value, Mapping) or getattr(error, "near", None):
            raise
        return None
