"""The approximator of several members that learn from the same data."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, cast

import torch
from torch import nn

from .._messages import untrained
from ..errors import ConfigError
from ..randomness import as_seed, seed_for
from ..stores import open_store
from ..training.history import EnsembleHistory
from . import _ensemble_estimates, _ensemble_fitting
from ._approximator import Approximator
from ._checks import require_count, require_options
from ._mixture import checked_weights, members_draws, mixed
from ._report import EnsembleReport, as_arrays
from .continuous import ContinuousApproximator

__all__ = ["EnsembleApproximator"]


class EnsembleApproximator(nn.Module):
    """Several approximators that differ in their first weights and the order of their data; draws are of their mixture.

    They share adapter, roles and standardisation. `sbicore.build(..., ensemble=4)` makes one of alike networks; give
    other ones here to mix different networks.

    Args:
        members: untrained approximators, at least 2, by name or in a list (then their names are "0", "1", ...).

    Raises:
        ConfigError: fewer members, one that is trained or given twice, or members that do not go together.
    """

    def __init__(self, members: Sequence[ContinuousApproximator] | Mapping[str, ContinuousApproximator]) -> None:
        super().__init__()
        if isinstance(members, Mapping):
            named = {str(name): member for name, member in members.items()}
        elif isinstance(members, (list, tuple)):
            named = {str(k): member for k, member in enumerate(members)}
        else:
            raise ConfigError(f"an ensemble takes a list of approximators, or {{name: approximator}}, got {members!r}")
        _require_fitting(named)
        self._take(named)
        self.history = EnsembleHistory(members={name: member.history for name, member in named.items()})

    @classmethod
    def restored(
        cls, members: Mapping[str, ContinuousApproximator], history: Mapping[str, Any]
    ) -> EnsembleApproximator:
        """From members that were trained together."""
        ensemble = cls.__new__(cls)
        nn.Module.__init__(ensemble)
        ensemble._take(members)
        ensemble.history = EnsembleHistory.restored(history)
        for name, member in members.items():
            member.history = ensemble.history.members[name]
            member.standardizers = ensemble.first.standardizers
        return ensemble

    def _take(self, members: Mapping[str, ContinuousApproximator]) -> None:
        first = next(iter(members.values()))
        for member in members.values():
            member.pipeline = first.pipeline
        self.members = nn.ModuleDict(members)

    @property
    def by_name(self) -> dict[str, ContinuousApproximator]:
        """The members."""
        return {name: cast(ContinuousApproximator, member) for name, member in self.members.items()}

    @property
    def first(self) -> ContinuousApproximator:
        """One of the members, for what they have in common."""
        return next(iter(self.by_name.values()))

    @property
    def config(self) -> Any:
        """Of the network of the first member."""
        return self.first.config

    @property
    def fit_kwargs(self) -> dict[str, Any]:
        """Defaults of the options of `fit`."""
        return self.first.fit_kwargs

    @property
    def is_trained(self) -> bool:
        """Whether there is a member to draw from."""
        return any(member.is_trained for member in self.by_name.values())

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.first.device

    def forget_data(self) -> None:
        """Back to before the first data."""
        for member in self.by_name.values():
            member.forget_data()

    def leave_out(self, name: str) -> None:
        """Go on without this member; its record stays in `history.members`.

        Raises:
            ConfigError: there is no such member, or no other.
        """
        if name not in self.members or len(self.members) == 1:
            raise ConfigError(f"member {name!r} cannot be left out; members: {', '.join(self.members)}")
        del self.members[name]

    def fit(self, data: Any = None, *, simulator: Any = None, **options: Any) -> EnsembleHistory:
        """Train all members together.

        Args:
            data, simulator, validation_data, seed, device, callbacks, progress, **options: as in
                `ContinuousApproximator.fit`; `checkpoint` is refused, and `compile="auto"` compiles nothing. Rows held
                out and simulations are the same for all members.
            data_reuse: from 0 to 1, by default 1: all members learn from all rows. With r, each of K members learns
                from the share 1 / (r + (1 - r) K) of them; where r is 0, no row serves two members.
            vectorize: whether one pass computes the losses of all members; by default where their networks are alike,
                small, and found to give the same numbers so.

        Returns:
            The history: means and sums of all, and `.members` with that of each.

        Raises:
            ConfigError, DataError, ShapeError: as in `ContinuousApproximator.fit`.
            TrainingError: not one member has learnt. Others that have not are left out, with a warning.
        """
        if simulator is not None:
            if data is not None:
                raise ConfigError("fit takes data or a simulator, not both")
            data = simulator
        return _ensemble_fitting.fit(self, data, **options)

    def fit_online(self, simulator: Any, **options: Any) -> EnsembleHistory:
        """`fit` on a simulator: `epochs` of `num_batches_per_epoch` fresh batches."""
        return _ensemble_fitting.fit(self, simulator, **options)

    def fit_offline(self, data: Any, **options: Any) -> EnsembleHistory:
        """`fit` on a dict of arrays."""
        return _ensemble_fitting.fit(self, data, **options)

    def fit_disk(self, path: Any, **options: Any) -> EnsembleHistory:
        """`fit` on a store, see `ContinuousApproximator.fit_disk`; it is read once for all members."""
        return _ensemble_fitting.fit(self, open_store(path), **options)

    def sample(
        self,
        conditions: Mapping[str, Any] | None = None,
        num_samples: int = 1000,
        *,
        member_weights: Any = None,
        merge_members: bool = True,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        **options: Any,
    ) -> Any:
        """Draw from the mixture of the members' posteriors of each observation.

        Each observation takes of every member its share of the draws, up to less than one, in random order.

        Args:
            conditions, num_samples, seed, as_tensor, report, **options: as in `ContinuousApproximator.sample`.
            member_weights: a weight for each member, in order or by name; by default all the same.
            merge_members: False gives `{member: draws}`, with `num_samples` of each.

        Returns:
            As `ContinuousApproximator.sample`; the report adds those of the members.

        Raises:
            ConfigError: weights that are none; besides, as `ContinuousApproximator.sample`.
        """
        return self._drawn(
            "sample", conditions, num_samples, member_weights, merge_members, seed, as_tensor, report, options
        )

    def compositional_sample(
        self,
        conditions: Mapping[str, Any],
        num_samples: int = 1000,
        *,
        member_weights: Any = None,
        merge_members: bool = True,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        **options: Any,
    ) -> Any:
        """As `sample`, from the mixture of what each member composes of several data sets.

        Other arguments as in `ContinuousApproximator.compositional_sample`.
        """
        return self._drawn(
            "compositional_sample",
            conditions,
            num_samples,
            member_weights,
            merge_members,
            seed,
            as_tensor,
            report,
            options,
        )

    def log_prob(
        self,
        data: Mapping[str, Any],
        *,
        member_weights: Any = None,
        merge_members: bool = True,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        **options: Any,
    ) -> Any:
        """Log density of the mixture, `log sum_m w_m p_m`.

        Args:
            data, seed, as_tensor, report, **options: as in `ContinuousApproximator.log_prob`.
            member_weights, merge_members: as in `sample`.

        Returns:
            `(N,)`, or `{member: (N,)}`.
        """
        started, weights, seed = self._begin("log_prob", member_weights, merge_members, seed, options)
        parts, reports = {}, {}
        for k, name in enumerate(weights):
            parts[name], reports[name] = self.by_name[name].log_prob(
                data, seed=seed_for(seed, k), as_tensor=True, report=True, **options
            )
        found: Any = parts
        if merge_members:
            logs = torch.tensor([float(weights[name]) for name in parts], dtype=torch.float64).log()
            each = torch.stack([part.double() for part in parts.values()])
            found = torch.logsumexp(each + logs.unsqueeze(1), 0).float()
        return self._told(found, reports, {}, started, seed, as_tensor, report)

    def estimate(
        self,
        conditions: Mapping[str, Any] | None = None,
        *,
        member_weights: Any = None,
        merge_members: bool = True,
        as_tensor: bool = False,
        **options: Any,
    ) -> Any:
        """Statistics of the posterior, averaged over the members.

        The mean of the means is the mean of the mixture. Medians and quantiles are averaged level by level, which is
        a narrower law than the mixture where members disagree. Probabilities of models are those of the mixture.
        Parameters of densities cannot be averaged.

        Args:
            conditions, as_tensor, **options: as in `ScoringRuleApproximator.estimate`, or that of models.
            member_weights: as in `sample`.
            merge_members: False gives `{member: estimates}`.

        Raises:
            ConfigError: networks that do not estimate, or statistics that cannot be averaged.
        """
        _, weights, _ = self._begin("estimate", member_weights, merge_members, 0)
        members = {name: self.by_name[name] for name in weights}
        found = _ensemble_estimates.estimates(members, conditions, weights if merge_members else None, options)
        return found if as_tensor else as_arrays(found)

    def save(self, path: Any) -> None:
        """Write all members to one file, beside it first and then renamed.

        Raises:
            NotBuiltError: not trained yet.
        """
        from ..artifact import save

        save(cast(Approximator, self), path)

    def _begin(
        self, call: str, given: Any, merge_members: Any, seed: int | None, options: Mapping[str, Any] | None = None
    ) -> tuple[float, dict[str, Fraction], int]:
        """When the call began, the weights of the members that matter, and the seed."""
        if not self.is_trained:
            raise untrained(call)
        if not isinstance(merge_members, bool):
            raise ConfigError(f"merge_members takes True or False, got {merge_members!r}")
        if not merge_members and given is not None:
            raise ConfigError("member_weights have no meaning with merge_members=False, which tells all members")
        if options:
            _require_options(call, self.by_name, options)
        weights = checked_weights(given, list(self.members))
        return time.perf_counter(), {name: weight for name, weight in weights.items() if weight}, as_seed(seed)

    def _drawn(
        self,
        call: str,
        conditions: Any,
        num_samples: int,
        member_weights: Any,
        merge_members: bool,
        seed: int | None,
        as_tensor: bool,
        report: bool,
        options: Mapping[str, Any],
    ) -> Any:
        started, weights, seed = self._begin(call, member_weights, merge_members, seed, options)
        require_count("num_samples", num_samples)
        counts = members_draws(weights, num_samples) if merge_members else dict.fromkeys(weights, num_samples)
        parts, reports = {}, {}
        for k, (name, count) in enumerate(counts.items()):
            parts[name], reports[name] = getattr(self.by_name[name], call)(
                conditions, count, seed=seed_for(seed, k), as_tensor=True, report=True, **options
            )
        found: Any = parts
        if merge_members:
            single = conditions is None
            whole = {member: {name: v[None] if single else v for name, v in p.items()} for member, p in parts.items()}
            found = mixed(whole, weights, num_samples, seed_for(seed, len(counts)))
            found = {name: value[0] if single else value for name, value in found.items()}
        if not as_tensor:
            tell = self.first.pipeline.told
            found = tell(found) if merge_members else {name: tell(part) for name, part in found.items()}
        return self._told(found, reports, counts, started, seed, as_tensor, report)

    def _told(
        self,
        found: Any,
        reports: Mapping[str, Any],
        counts: Mapping[str, int],
        started: float,
        seed: int,
        as_tensor: bool,
        report: bool,
    ) -> Any:
        result = found if as_tensor else as_arrays(found)
        if not report:
            return result
        return result, EnsembleReport.of(reports, counts, seconds=time.perf_counter() - started, seed=seed)


def _require_options(call: str, members: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Options that all members have; where these are of different networks, an error says which has not."""
    different = len({member.config.name for member in members.values()}) > 1
    for name, member in members.items():
        what = f"{call} of the member {name!r}" if different else call
        known = getattr(member.config, f"{call}_options")
        require_options(what, known, options, ("member_weights", "merge_members"), call=call)


def _require_fitting(members: Mapping[str, Any]) -> None:
    """Approximators that can share data.

    Raises:
        ConfigError: see `EnsembleApproximator`.
    """
    if len(members) < 2:
        raise ConfigError(f"an ensemble has at least 2 members, got {len(members)}")
    for name, member in members.items():
        if not isinstance(member, ContinuousApproximator):
            raise ConfigError(f"member {name!r} is no approximator: {type(member).__name__}")
        if member.is_trained or member.is_built:
            raise ConfigError(f"member {name!r} has learnt already\nGive untrained members: they share their data.")
        if not name or "." in name:
            raise ConfigError(f"a member cannot be called {name!r}\nGive a name without dots.")
    if len({id(member) for member in members.values()}) < len(members):
        raise ConfigError("a member is given twice\nMake an approximator for each.")
    (name, first), *others = members.items()
    for other, member in others:
        one, two = _common(first), _common(member)
        differs = [what for what in one if one[what] != two[what]]
        if differs:
            raise ConfigError(
                f"members {name!r} and {other!r} have different {', '.join(differs)}\nMembers share {', '.join(one)}."
            )


def _common(member: ContinuousApproximator) -> dict[str, Any]:
    """What members share, to compare."""
    bounds = {name: [_plain(side) for side in pair] for name, pair in member.bounds.items()}
    return {
        "type": type(member).__name__,
        "adapter": member.pipeline.adapter.to_list(),
        "roles": member.pipeline.roles,
        "bounds": bounds,
        "out_of_bounds": member.out_of_bounds,
        "standardize": member.standardize,
        "missing": member.pipeline.missing,
        "kind of summary network": member.pipeline.reading.varying,
    }


def _plain(value: Any) -> Any:
    return value.tolist() if hasattr(value, "tolist") else value
