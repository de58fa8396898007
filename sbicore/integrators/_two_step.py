"""The loop of `two_step_adaptive`: own time and step for each row, and one Brownian path for all attempts."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..protocols import Brownian
from ._guard import Guard, finite_rows
from ._request import check_steps, check_time, check_tolerance, steps_without_control
from ._solution import Solution, solution
from ._stochastic import StochasticSteps, single

if TYPE_CHECKING:
    from .two_step_adaptive import TwoStepAdaptive

__all__ = ["TwoStep"]

_FIRST, _LARGEST = 0.01, 0.25
"""The first step and the largest one, as shares of the interval."""


class TwoStep:
    """See `TwoStepAdaptive` and `sbicore.protocols.StochasticIntegrator`."""

    def __init__(self, config: TwoStepAdaptive) -> None:
        self.config, self.order = config, config.order

    def integrate(
        self,
        field: Callable[..., Any],
        x: Tensor,
        t0: float,
        t1: float,
        *,
        diffusion: Callable[[Tensor], Tensor],
        brownian: Brownian,
        steps: int | str | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Solution:
        """Solve from `t0` to `t1`; a whole number of `steps` takes equal ones, without control.

        Raises:
            ConfigError: an option that cannot work, or that would be ignored.
            DataError: a state that is no floating-point tensor.
            IntegrationError: a state that is not finite, an underflowing step, or a spent budget.
        """
        config = self.config
        count = check_steps(steps)
        if count is not None:
            steps_without_control(config.name, count, count, rtol, atol)
            fixed = StochasticSteps(config.name, self.order, config.step, count)
            return fixed.integrate(field, x, t0, t1, diffusion=diffusion, brownian=brownian, steps=count)
        relative = config.default_rtol if rtol is None else check_tolerance(rtol, "rtol", zero=False)
        absolute = config.default_atol if atol is None else check_tolerance(atol, "atol", zero=True)
        single(x)
        start, stop = check_time(t0, "t0"), check_time(t1, "t1")
        if start == stop or len(x) == 0:
            return solution(x, (x,), 0, 0)
        run = _Run(config, Guard(field, config.name, single=True), diffusion, brownian, x, start, stop)
        return run.solve(relative, absolute)


class _Run:
    """The state of one solution; times and steps are on the CPU in float64."""

    def __init__(
        self,
        config: TwoStepAdaptive,
        guard: Guard,
        diffusion: Callable[[Tensor], Tensor],
        brownian: Brownian,
        x: Tensor,
        t0: float,
        t1: float,
    ) -> None:
        self.config, self.guard, self.diffusion, self.brownian = config, guard, diffusion, brownian
        self.x, self.previous = x, x
        self.span, self.t1 = t1 - t0, t1
        self.t = torch.full((len(x),), t0, dtype=torch.float64)
        self.h = torch.full((len(x),), _FIRST * self.span, dtype=torch.float64)
        self.evaluations = torch.zeros(len(x), dtype=torch.long)
        self.steps = torch.zeros(len(x), dtype=torch.long)

    def solve(self, rtol: float, atol: float) -> Solution:
        """Attempts until every row is at the end."""
        floor = 1e-12 * abs(self.span)
        while bool((self.t != self.t1).any()):
            active = (self.t != self.t1).nonzero().flatten()
            if int(self.evaluations.max()) + 2 > self.config.max_evaluations:
                raise self.guard.spent(float(self.t[active[0]]), active, len(self.t), self.config.max_evaluations)
            if bool((self.h[active].abs() < floor).any()):
                raise self.guard.underflow(float(self.t[active[0]]), active, len(self.t))
            stop = self.t + self.h
            stop = torch.where((self.t1 - stop) / self.span < 1e-9, self.t1, stop)
            stop[self.t == self.t1] = self.t1
            ratio = self._attempt(active, stop, rtol, atol)
            kept = active[ratio <= 1]
            grow = self.config.safety * ratio.clamp_min(1e-10) ** -self.config.exponent
            self.h[active] = ((stop - self.t)[active] * grow).clamp(
                -_LARGEST * abs(self.span), _LARGEST * abs(self.span)
            )
            self.t[kept] = stop[kept]
            self.steps[kept] += 1
        self.guard.check(self.t1, (self.x,))
        return solution(self.x, (self.x,), self.evaluations, self.steps)

    def _attempt(self, active: Tensor, stop: Tensor, rtol: float, atol: float) -> Tensor:
        """One step of the active rows, kept where it is accurate enough; error over tolerance `(r,)`, on the CPU."""
        w = self.brownian(self.t, stop)[0].to(self.x.dtype)
        everyone = len(active) == len(self.t)
        there = active.to(self.x.device)
        rows = None if everyone else there
        x, previous, w = (self.x, self.previous, w) if everyone else (self.x[there], self.previous[there], w[there])
        start, end = self._times(self.t[active]), self._times(stop[active])
        h = _wide(self._times((stop - self.t)[active]), x)
        first = x + h * self.guard(start, (x,), rows)[0] + _wide(self.diffusion(start), x) * w
        slope = self.guard(end, (first,), rows)[0]
        second = x + h * slope + _wide(self.diffusion(end), x) * w
        result = (first + second) / 2
        self.evaluations[active] += 2
        with torch.no_grad():
            size = (rtol * torch.maximum(first.abs(), previous.abs())).clamp_min(atol).clamp_min(1e-12)
            ratio = ((result - first) / size).flatten(1).square().mean(1).sqrt()
            fine = finite_rows((first, slope))
            ratio = ratio.where(fine & ~ratio.isnan(), math.inf).cpu().double()
        kept = (ratio <= 1).to(x.device)
        wide = kept.view(-1, *[1] * (x.dim() - 1))
        x, previous = torch.where(wide, result, x), torch.where(wide, first, previous)
        if everyone:
            self.x, self.previous = x, previous
        else:
            self.x, self.previous = self.x.index_copy(0, there, x), self.previous.index_copy(0, there, previous)
        return ratio

    def _times(self, values: Tensor) -> Tensor:
        """`(r,)` on the CPU to `(r, 1)` beside the state."""
        return values.to(self.x.dtype).to(self.x.device)[:, None]


def _wide(values: Tensor, x: Tensor) -> Tensor:
    return values.reshape(-1, *[1] * (x.dim() - 1))
