"""Adaptive methods: which loop serves the options, per row, over the batch, or at equal steps."""

from __future__ import annotations

from typing import Any

import torch

from ..errors import ConfigError
from ._base import Method
from ._guard import Guard
from ._march import march
from ._request import check_steps, check_tolerance
from ._rows import RowStepper
from ._solution import Parts, rows_of
from ._tableau import Tableau

__all__ = ["Adaptive"]


class Adaptive(Method):
    """An embedded pair under control of each row's error, of the batch's, or at equal steps."""

    def __init__(
        self,
        name: str,
        tableau: Tableau,
        *,
        joint: bool,
        max_evaluations: int,
        default_rtol: float,
        default_atol: float,
    ) -> None:
        super().__init__(name, tableau.order)
        self.tableau = tableau
        self.joint = joint
        self.max_evaluations = max_evaluations
        self.default_rtol = default_rtol
        self.default_atol = default_atol

    def plan(self, steps: Any, rtol: Any, atol: Any) -> int | tuple[float, float]:
        """The number of equal steps, or the two tolerances."""
        count = check_steps(steps)
        if count is None:
            return (
                self.default_rtol if rtol is None else check_tolerance(rtol, "rtol", zero=False),
                self.default_atol if atol is None else check_tolerance(atol, "atol", zero=True),
            )
        for name, value in (("rtol", rtol), ("atol", atol)):
            if value is not None:
                raise ConfigError(
                    f"{name}={value!r} would have no effect: steps={count} switches control off.\n"
                    f"Give either steps=<whole number> or {name}."
                ).within(name)
        return count

    def solve(self, guard: Guard, parts: Parts, t0: float, t1: float, plan: Any) -> tuple[Parts, Any, Any]:
        """Hand over to the loop that was asked for."""
        if isinstance(plan, int):
            return march(self.tableau, guard, parts, t0, t1, plan)
        rtol, atol = plan
        attempts = (self.max_evaluations - 2) // len(self.tableau.stages)
        if attempts < 1:
            raise guard.spent(t0, torch.arange(rows_of(parts)), rows_of(parts), self.max_evaluations)
        if self.joint:
            from ._joint import solve_jointly

            return solve_jointly(
                guard, parts, t0, t1, rtol=rtol, atol=atol, attempts=attempts, budget=self.max_evaluations
            )
        return RowStepper(self.tableau, guard, parts, t0, t1, rtol=rtol, atol=atol).run(self.max_evaluations)
