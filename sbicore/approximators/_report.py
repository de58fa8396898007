"""What `report=True` returns beside draws or densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from torch import Tensor

__all__ = ["Cost", "EnsembleReport", "Report", "as_arrays"]


@attrs.frozen(kw_only=True)
class Report:
    """Cost and circumstances of a call.

    Attributes:
        evaluations: mean number of network evaluations a draw (or a density) took.
        steps: mean number of accepted solver steps.
        seconds: wall time.
        seed: the seed that repeats the call.
        acceptance: share of draws inside the bounds, or of accepted moves of a Markov chain; None without either.
        log_prob_error: mean standard error of log densities that random probes estimate; None without.
        effective_sample_size: for each observation, how many independent draws these are worth; None where all are.
    """

    evaluations: float | None
    steps: float | None
    seconds: float
    seed: int
    acceptance: float | None = None
    log_prob_error: float | None = None
    effective_sample_size: tuple[float, ...] | None = None


@attrs.frozen(kw_only=True)
class EnsembleReport(Report):
    """Means over the draws of all members, and what each of them tells.

    Attributes:
        members: the report of each by its name.
    """

    members: Mapping[str, Report]

    @classmethod
    def of(
        cls, members: Mapping[str, Report], draws: Mapping[str, int], *, seconds: float, seed: int
    ) -> EnsembleReport:
        """From reports, weighted by the draws of each member where they are told."""
        facts = {}
        for fact in ("evaluations", "steps", "acceptance", "log_prob_error"):
            told = {name: value for name, one in members.items() if (value := getattr(one, fact)) is not None}
            total = sum(draws.get(name, 1) for name in told)
            weighted = sum(value * draws.get(name, 1) for name, value in told.items())
            facts[fact] = weighted / total if told else None
        return cls(members=dict(members), seconds=seconds, seed=seed, **facts)


class Cost:
    """Means of what the network reports, weighted by draws."""

    def __init__(self) -> None:
        self.totals: dict[str, float] = {}
        self.draws = 0

    def add(self, facts: Mapping[str, Tensor], draws: int) -> None:
        """Take in facts `(R,)` of R rows with this many draws each."""
        rows = 0
        for name, value in facts.items():
            rows = len(value)
            self.totals[name] = self.totals.get(name, 0.0) + float(value.double().sum()) * draws
        self.draws += rows * draws

    def facts(self) -> dict[str, Any]:
        """Arguments of a `Report`."""
        found = {name: total / self.draws for name, total in self.totals.items() if self.draws}
        return {name: found.get(name) for name in ("evaluations", "steps", "log_prob_error")}


def as_arrays(value: Any) -> Any:
    """Tensors as NumPy arrays, in mappings too; anything else as it is."""
    if isinstance(value, Mapping):
        return {key: as_arrays(item) for key, item in value.items()}
    return value.numpy() if isinstance(value, Tensor) else value
