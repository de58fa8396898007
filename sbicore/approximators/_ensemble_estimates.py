"""Estimates of several members as one, as far as they can be averaged."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, cast

import torch

from ..errors import ConfigError
from .continuous import ContinuousApproximator
from .model_comparison import ModelComparisonApproximator
from .scoring_rule import ScoringRuleApproximator

__all__ = ["estimates"]

_AVERAGED = {"affine", "monotone", "quantiles"}


def estimates(
    members: Mapping[str, ContinuousApproximator],
    conditions: Any,
    weights: Mapping[str, Fraction] | None,
    options: Mapping[str, Any],
) -> Any:
    """Weighted means of what the members estimate, as tensors; without weights `{member: estimates}`.

    Raises:
        ConfigError: members that do not estimate, or a rule whose statistics cannot be averaged.
    """
    first = next(iter(members.values()))
    if not isinstance(first, ScoringRuleApproximator):
        raise ConfigError(
            f"{first.config.name!r} does not estimate.\nTake 'point_network', or summaries of sample(...)."
        )
    if weights is not None and isinstance(first, ModelComparisonApproximator):
        return _of_models(members, conditions, weights, options)
    if weights is not None:
        for member in members.values():
            _require_averages(member, options.get("rules"))
    found = {
        name: cast(ScoringRuleApproximator, member).estimate(conditions, as_tensor=True, **options)
        for name, member in members.items()
    }
    return found if weights is None else _mean(list(found.values()), [float(weights[name]) for name in found])


def _of_models(
    members: Mapping[str, Any], conditions: Any, weights: Mapping[str, Fraction], options: Mapping[str, Any]
) -> Any:
    """The mixture of the members' probabilities under the simulations, told under any prior."""
    shares = options.get("simulated_prior")
    rest = {name: value for name, value in options.items() if name not in ("model_prior", "simulated_prior")}
    found = [
        member.estimate(conditions, as_tensor=True, simulated_prior=shares, **rest)["model_probs"]
        for member in members.values()
    ]
    mean = _mean(found, [float(weights[name]) for name in members])
    first: ModelComparisonApproximator = next(iter(members.values()))
    return first.told(mean.double().log(), options.get("model_prior"), shares)


def _require_averages(member: Any, rules: Any) -> None:
    chosen = member.rules if rules is None else [rules] if isinstance(rules, str) else list(rules)
    for name in chosen:
        kinds = getattr(member.rules.get(name), "statistics", {})
        bad = [statistic for statistic, kind in kinds.items() if kind not in _AVERAGED]
        if bad:
            raise ConfigError(
                f"{bad[0]!r} of the rule {name!r} cannot be averaged over members: the mixture of their densities is "
                "of another family.\n"
                "Give merge_members=False, other rules=[...], or take sample(...) and log_prob(...)."
            )


def _mean(values: list[Any], weights: list[float]) -> Any:
    if isinstance(values[0], Mapping):
        return {key: _mean([value[key] for value in values], weights) for key in values[0]}
    total = sum(weight * value.double() for weight, value in zip(weights, values, strict=True))
    return torch.as_tensor(total).float()
