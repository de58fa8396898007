"""The approximator of networks that estimate statistics of the posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from .._threads import suitable_threads
from ..errors import ConfigError, DataError, ShapeError
from ..training.progress import Progress
from ._approximator import Approximator
from ._checks import require_count
from ._report import as_arrays
from ._roles import ROLES
from ._statistics import ChangeOfVariables, by_name
from .continuous import ContinuousApproximator

__all__ = ["ScoringRuleApproximator"]

_ROWS = 10_000


class ScoringRuleApproximator(ContinuousApproximator):
    """Estimates by scoring rules, in the space of the user's variables; draws and densities of parametric rules.

    A mean is right under affine maps alone. So with `out_of_bounds="transform"`, bounds do not transform variables
    whose mean is asked for: its estimates, and quantiles beside them, are moved inside instead.

    Args:
        inference_network: a network that estimates, such as `point_network`.
        summary_network, adapter, inference_variables, inference_conditions, summary_variables, standardize, bounds,
            out_of_bounds, fit_kwargs: as for `ContinuousApproximator`.

    Raises:
        ConfigError: an argument that cannot work; when shapes are known, a statistic that would not be that of the
            user's variable, such as a mean under a logarithm.
    """

    def __init__(self, inference_network: Any, **arguments: Any) -> None:
        super().__init__(inference_network, **arguments)
        self.rules = {name: rule.build() for name, rule in self.config.rules.items()}
        self._of_categories = [name for name, rule in self.config.rules.items() if rule.targets == "one_hot"]
        if others := self.rules.keys() - self._of_categories if self._of_categories else ():
            raise ConfigError(
                f"the rule {self._of_categories[0]!r} is for categories, and {min(others)!r} is for numbers\n"
                "Train them apart."
            )
        if self._of_categories:
            self.standardize = tuple(role for role in self.standardize if role != "inference_variables")
        needs_affine = self._rules_with("affine", "factor")
        if self.bounds and self.out_of_bounds == "transform" and (plain := needs_affine - self._parametric):
            if self._parametric:
                raise ConfigError(
                    f"bounds cannot serve {min(plain)!r} and {min(self._parametric)!r} at once: the one needs "
                    "parameters as they are, the other would draw outside\n"
                    "Give out_of_bounds='reject', or train them apart."
                )
            self.pipeline.bounds = {}
        for name, rule in self.config.rules.items():
            if rule.targets == "real" and not hasattr(self.rules[name], "statistics"):
                raise ConfigError(
                    f"the scoring rule {name!r} does not say how its statistics follow a change of variables\n"
                    "Define on it: statistics = {'value': 'affine'}."
                )

    def remember(self, targets: Tensor) -> None:
        """Refuse numbers where a rule takes categories."""
        if self._of_categories and not bool(((targets == 0) | (targets == 1)).all() & (targets.sum(-1) == 1).all()):
            raise self._not_categories("has others")

    def _not_categories(self, found: str, error: type[DataError] = DataError) -> DataError:
        names = listing(map(repr, self.pipeline.roles.targets))
        return error(
            f"{self._of_categories[0]!r} takes rows with a one for the category, of two or more; {names} {found}\n"
            "Give such rows, or numbers of categories and adapter.one_hot(...); for numbers a rule such as 'mean'."
        )

    @property
    def _parametric(self) -> set[str]:
        return {name for name, rule in self.config.rules.items() if "log_prob" in rule.capabilities}

    def _rules_with(self, *kinds: str) -> set[str]:
        return {name for name, rule in self.rules.items() if set(kinds) & set(getattr(rule, "statistics", {}).values())}

    def build(self, events: Mapping[str, tuple[int, ...]], *, seed: int | None = None) -> Approximator:
        """As `Approximator.build`."""
        super().build(events, seed=seed)
        if self._of_categories and ((event := self.pipeline.event(ROLES[0]) or ())[1:] or event[0] < 2):
            raise self._not_categories(f"has shape {event}", ShapeError)
        change = self._change()
        for name in self.rules.keys() - self._parametric:
            self._require(change, name)
        return self

    def estimate(  # type: ignore[override]
        self,
        conditions: Mapping[str, Any] | None = None,
        *,
        rules: Any = None,
        as_tensor: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
    ) -> Any:
        """Statistics of the posterior of each observation, in the units of the user's variables.

        Args:
            conditions: `{name: (O, *event)}`; one observation may leave its axis out. None for a network without.
            rules: names of the rules to tell; by default all.
            as_tensor: tensors instead of NumPy arrays.
            progress: False for silence.
            chunk_size: observations that are computed together.

        Returns:
            `{rule: {statistic: (O, ...)}}`: `mean (O, *event)`, `quantiles (O, Q, *event)`, ...; with several inferred
            variables `{rule: {statistic: {name: ...}}}`, and statistics of all together, such as `covariance`, under
            `"joint"`.

        Raises:
            NotBuiltError, DataError, ShapeError: as `sample`.
            ConfigError: no such rule, or a statistic that cannot be told in the user's space.
        """
        self._require_built("estimate")
        if chunk_size is not None:
            require_count("chunk_size", chunk_size)
        chosen = self._chosen(rules)
        change = self._change()
        for name in chosen:
            try:
                self._require(change, name)
            except ConfigError as error:
                others = [other for other in chosen if other != name]
                if not others:
                    raise
                raise ConfigError(
                    f"{error}\nThe other rules can be asked alone: estimate(..., rules={others})."
                ) from None
        found = self._estimated(self.observe(conditions), chunk_size or _ROWS, progress)
        result = {name: self._told(change, name, found[name]) for name in chosen}
        return result if as_tensor else as_arrays(result)

    def _change(self) -> ChangeOfVariables:
        def inverse(z: Tensor) -> Mapping[str, Tensor]:
            return self.to_user_space(z, torch.float64)

        return ChangeOfVariables(inverse, self.pipeline.event("inference_variables") or ())

    def _require(self, change: ChangeOfVariables, name: str) -> None:
        rule = self.rules[name]
        for statistic, kind in getattr(rule, "statistics", {}).items():
            what = statistic if statistic == name else f"{statistic!r} of the rule {name!r}"
            change.require(what, kind, getattr(rule, "q", ()))

    def _chosen(self, rules: Any) -> list[str]:
        chosen = list(self.rules) if rules is None else [rules] if isinstance(rules, str) else list(rules)
        for name in chosen:
            if name not in self.rules:
                raise ConfigError(
                    f"There is no rule {name!r}{did_you_mean(name, self.rules)}\nTrained: {listing(self.rules)}"
                )
        return chosen

    @torch.inference_mode()
    def _estimated(self, observed: Tensor | None, step: int, progress: bool) -> dict[str, dict[str, Tensor]]:
        """Statistics in the network's space, in blocks of observations."""
        self.eval()
        blocks: tuple[Tensor | None, ...] = (None,) if observed is None else observed.split(step)
        parts = []
        with (
            suitable_threads(self.device) as check_threads,
            Progress(len(blocks), "estimate", enabled=progress, unit="block") as bar,
        ):
            for block in blocks:
                check_threads()
                parts.append(self.network.estimate(block))
                bar.update(1)
        return {
            rule: {name: torch.cat([part[rule][name] for part in parts]).cpu() for name in statistics}
            for rule, statistics in parts[0].items()
        }

    def _told(self, change: ChangeOfVariables, name: str, estimates: Mapping[str, Tensor]) -> dict[str, Any]:
        """The statistics of one rule in the user's space."""
        result: dict[str, Any] = {}
        kinds = getattr(self.rules[name], "statistics", {})
        for statistic, value in estimates.items():
            kind = kinds.get(statistic, "free")
            if kind == "free":
                result[statistic] = value.float()
            elif kind == "factor":
                scale = change.factor(value)
                several = len(self.pipeline.target_names) > 1
                for key, joint in ((statistic, scale), ("covariance", scale @ scale.mT)):
                    result[key] = {"joint": joint.float()} if several else joint.float()
            else:
                found = change.points(value, kind)
                result[statistic] = by_name({key: self._inside(key, part).float() for key, part in found.items()})
        return result

    def _inside(self, name: str, value: Tensor) -> Tensor:
        """Moved inside the bounds of the variable."""
        low, high = self.bounds.get(name, (None, None))
        for bound, nearer in ((low, torch.maximum), (high, torch.minimum)):
            if bound is not None:
                value = nearer(value, torch.as_tensor(bound, dtype=value.dtype))
        return value
