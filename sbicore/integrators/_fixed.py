"""Equal steps by torchdiffeq, and what its solvers need around a field."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchdiffeq import odeint

from ._base import Method
from ._guard import Guard
from ._request import steps_without_control
from ._solution import Parts

__all__ = ["FixedStep", "OdeField", "grid", "time_dtype"]


class FixedStep(Method):
    """A fixed-step method of torchdiffeq."""

    def __init__(self, name: str, order: float, solver: str, default_steps: int) -> None:
        super().__init__(name, order)
        self.solver = solver
        self.default_steps = default_steps

    def plan(self, steps: Any, rtol: Any, atol: Any) -> int:
        """The number of steps; asking for control of the error raises ConfigError."""
        return steps_without_control(self.name, self.default_steps, steps, rtol, atol)

    def solve(self, guard: Guard, parts: Parts, t0: float, t1: float, plan: int) -> tuple[Parts, int, int]:
        """March over the grid; look for non-finite rows once, at the end."""
        times = torch.tensor(grid(t0, t1, plan), dtype=time_dtype(parts), device=parts[0].device)
        states = odeint(
            OdeField(guard),
            parts[0] if guard.single else parts,
            times[[0, -1]],
            method=self.solver,
            options={"grid_constructor": lambda field, x, t: times},
        )
        end = last(states)
        guard.check(t1, end)
        return end, guard.calls, plan


class OdeField:
    """A guarded field with the signature and the callback that torchdiffeq knows."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard

    def __call__(self, t: Tensor, y: Any) -> Any:
        slopes = self.guard(t.reshape(1), (y,) if self.guard.single else y)
        return slopes[0] if self.guard.single else slopes

    def callback_step(self, t0: Tensor, y0: Any, dt: Tensor) -> None:
        """Called at the start of each step."""
        self.guard.watch(t0, (y0,) if self.guard.single else y0)


def last(states: Any) -> Parts:
    """The state at the end, from what `odeint` returns."""
    return tuple(state[-1] for state in ((states,) if isinstance(states, Tensor) else states))


def grid(t0: float, t1: float, steps: int) -> list[float]:
    """`steps + 1` times, from exactly `t0` to exactly `t1`."""
    return [t0 + (t1 - t0) * (i / steps) for i in range(steps)] + [t1]


def time_dtype(parts: Parts) -> torch.dtype:
    """float64, except where the device has none."""
    return torch.float32 if parts[0].device.type == "mps" else torch.float64
