"""What `report=True` returns beside draws or densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
from torch import Tensor

__all__ = ["Cost", "Report"]


@attrs.frozen(kw_only=True)
class Report:
    """Cost and circumstances of a call.

    Attributes:
        evaluations: mean number of network evaluations a draw (or a density) took.
        steps: mean number of accepted solver steps.
        seconds: wall time.
        seed: the seed that repeats the call.
        acceptance: share of draws inside the bounds; None without rejection.
        log_prob_error: mean standard error of log densities that random probes estimate; None without.
    """

    evaluations: float | None
    steps: float | None
    seconds: float
    seed: int
    acceptance: float | None = None
    log_prob_error: float | None = None


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
