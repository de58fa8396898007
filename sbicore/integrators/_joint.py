"""Control of the error over the whole batch, by torchdiffeq."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torchdiffeq import odeint

from ._fixed import OdeField, last, time_dtype
from ._guard import Guard, finite_rows
from ._solution import Parts, rows_of

__all__ = ["solve_jointly"]


class _JointField(OdeField):
    """Counts accepted steps, keeps the first probe within the interval, remembers the last state."""

    def __init__(self, guard: Guard, t0: float, t1: float) -> None:
        super().__init__(guard)
        self.low, self.high = min(t0, t1), max(t0, t1)
        self.accepted = 0
        self.t: Any = t0
        self.slope: Parts = ()

    def __call__(self, t: Tensor, y: Any) -> Any:
        slope = super().__call__(t.clamp(self.low, self.high), y)
        self.slope = (slope,) if self.guard.single else slope
        return slope

    def callback_step(self, t0: Tensor, y0: Any, dt: Tensor) -> None:
        """Called before each attempt."""
        self.t = t0

    def callback_accept_step(self, t0: Tensor, y0: Any, dt: Tensor) -> None:
        """Called after each attempt that is kept."""
        self.accepted += 1


def solve_jointly(
    guard: Guard, parts: Parts, t0: float, t1: float, *, rtol: float, atol: float, attempts: int, budget: int
) -> tuple[Parts, int, int]:
    """One time and one step for all rows, within this number of attempted steps.

    The end is a grid point of the solver (`step_t`), which otherwise steps past it and interpolates.
    Unlike control by row, torchdiffeq does not shorten a trial that is not finite: it is an error.

    Raises:
        IntegrationError: a non-finite state, an underflowing step, or a spent budget.
    """
    field = _JointField(guard, t0, t1)
    dtype = time_dtype(parts)
    times = torch.tensor([t0, t1], dtype=dtype, device=parts[0].device)
    try:
        states = odeint(
            field,
            parts[0] if guard.single else parts,
            times,
            rtol=rtol,
            atol=atol,
            method=guard.method,
            options={"max_num_steps": attempts, "step_t": times[1:], "dtype": dtype},
        )
    except AssertionError as error:
        if guard.broke:
            raise
        t, total = float(field.t), rows_of(parts)
        bad = (~finite_rows(field.slope)).nonzero().flatten()
        everyone = torch.arange(total)
        if "max_num_steps" in str(error):
            raise guard.spent(t, everyone, total, budget) from None
        if len(bad):
            raise guard.non_finite(t, bad, total) from None
        if "underflow" in str(error):
            raise guard.underflow(t, everyone, total) from None
        raise guard.non_finite(t, everyone, total) from error
    end = last(states)
    guard.check(t1, end)
    return end, guard.calls, field.accepted
