"""Control of each row's own error: own time, own step, and out of the computation when done.

Times and steps live on the CPU in float64 and cost one wait for the device an attempt; the state
never leaves it. The pair advances at its higher order. The first step is chosen as in Hairer,
Norsett and Wanner (1993), Solving ODEs I, doi:10.1007/978-3-540-78862-1, sect. II.4; the next ones
by the proportional-integral controller of Gustafsson (1991), doi:10.1145/210232.210242.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..errors import IntegrationError
from ._guard import Guard, finite_rows
from ._solution import Parts, rows_of
from ._tableau import Tableau, stage, weighted

__all__ = ["RowStepper"]

SAFETY, SHRINK, GROW = 0.9, 0.2, 10.0
INTEGRAL, MEMORY = 0.7, 0.4  # exponents times order: of this step's error and of the last kept one's


class RowStepper:
    """Solves all rows at once, each with its own steps; `run` does it, once.

    An attempt is kept when, for every part of the state, the root mean square over the row of
    error / (atol + rtol max(|before|, |after|)) is at most 1. One that is not finite counts as an
    infinite error.
    """

    def __init__(
        self, tableau: Tableau, guard: Guard, parts: Parts, t0: float, t1: float, *, rtol: float, atol: float
    ) -> None:
        self.tableau = tableau
        self.guard = guard
        self.rtol, self.atol = rtol, atol
        self.t1 = t1
        self.total = rows_of(parts)
        self.floor = 16 * torch.finfo(torch.float64).eps * max(abs(t0), abs(t1))
        # of the active rows, on the device of the state
        self.parts = parts
        self.slope: Parts = ()
        self.rows: Tensor | None = None
        # of the active rows, on the CPU
        self.active = torch.arange(self.total)
        self.t = torch.full((self.total,), t0, dtype=torch.float64)
        self.h = torch.zeros_like(self.t)
        self.ratio = torch.zeros_like(self.t)  # error over tolerance: of the last attempt
        self.kept_ratio = torch.ones_like(self.t)  # and of the last one kept
        # of all rows
        self.evaluations = torch.zeros(self.total, dtype=torch.long)
        self.steps = torch.zeros(self.total, dtype=torch.long)
        self.finished: list[tuple[Tensor, Parts]] = []

    def run(self, budget: int) -> tuple[Parts, Tensor, Tensor]:
        """The state at `t1`, evaluations and kept steps of each row.

        Raises:
            IntegrationError: values that are not finite at the start or at any step size, a step
                that underflows, or a budget that does not pay for another attempt.
        """
        self.slope = self.guard(self._on_device(self.t)[:, None], self.parts)
        self.h = self._first_steps()
        while len(self.active):
            if self.guard.calls + len(self.tableau.stages) > budget:
                raise self.guard.spent(float(self.t[0]), self.active, self.total, budget)
            landing = (self.t1 - self.t).abs() - self.h.abs() <= self.floor
            stuck = (self.h.abs() < self.floor) & ~landing
            if bool(stuck.any()):
                raise self._stuck(stuck)
            stop = torch.where(landing, self.t1, self.t + self.h)
            self.h = stop - self.t
            ratio = self._attempt(stop)
            kept = ratio <= 1
            self.h = self.h * self._factor(ratio, kept)
            self.t = torch.where(kept, stop, self.t)
            self.kept_ratio = torch.where(kept, ratio.clamp(min=1e-4), self.kept_ratio)
            self.ratio = ratio
            self.steps[self.active] += kept
            if bool((kept & landing).any()):
                self._retire(kept & landing)
        return self._gather(), self.evaluations, self.steps

    def _attempt(self, stop: Tensor) -> Tensor:
        """Step to `stop`, keep what is accurate enough, and return the error ratios."""
        nodes = self.tableau.nodes
        times = torch.stack([stop if node == 1 else self.t + node * self.h for node in nodes])
        times = self._on_device(times)[:, :, None]
        step = self._on_device(self.h)
        h = [step.reshape(-1, *[1] * (part.dim() - 1)) for part in self.parts]
        slopes = [self.slope]
        trial = self.parts
        for time, weights in zip(times, self.tableau.stages, strict=True):
            trial = stage(self.parts, h, weights, slopes)
            slopes.append(self.guard(time, trial, self.rows))
        with torch.no_grad():
            ratio = self._ratio(h, trial, slopes)
            host = ratio.cpu().double()
        if bool((host <= 1).all()):
            self.parts, self.slope = trial, slopes[-1]
        else:
            self.parts = _select(ratio <= 1, trial, self.parts)
            self.slope = _select(ratio <= 1, slopes[-1], self.slope)
        return host

    def _factor(self, ratio: Tensor, kept: Tensor) -> Tensor:
        """By how much to change the step; never growth right after a rejection."""
        order = self.tableau.order
        factor = torch.where(
            kept,
            ratio.pow(-INTEGRAL / order) * self.kept_ratio.pow(MEMORY / order),
            ratio.pow(-1 / order),
        )
        most = torch.where(self.ratio > 1, 1.0, GROW)
        return torch.minimum((SAFETY * factor).clamp(min=SHRINK), most)

    def _ratio(self, h: list[Tensor], trial: Parts, slopes: list[Parts]) -> Tensor:
        """`(r,)` estimated error over tolerance, the largest among the parts; infinite if not finite."""
        errors = []
        for i, (before, after) in enumerate(zip(self.parts, trial, strict=True)):
            error = h[i] * weighted(self.tableau.error, [slope[i] for slope in slopes])
            errors.append(_size(error / self._scale(torch.maximum(before.abs(), after.abs()))))
        ratio = torch.stack(errors).amax(0)
        fine = finite_rows(trial) & finite_rows(slopes[-1]) & ~ratio.isnan()
        return ratio.where(fine, math.inf)

    def _scale(self, size: Tensor) -> Tensor:
        return (self.atol + self.rtol * size).clamp_min(torch.finfo(size.dtype).tiny)

    def _first_steps(self) -> Tensor:
        """Signed first steps from one more evaluation (Hairer's algorithm), within the interval."""
        with torch.no_grad():
            fine = (finite_rows(self.parts) & finite_rows(self.slope)).cpu()
        if not bool(fine.all()):
            bad = (~fine).nonzero().flatten()
            raise self.guard.non_finite(float(self.t[0]), bad, self.total)
        span = abs(self.t1 - float(self.t[0]))
        sign = math.copysign(1.0, self.t1 - float(self.t[0]))
        with torch.no_grad():
            scales = [self._scale(part.abs()) for part in self.parts]
            d0 = _norm(self.parts, scales)
            d1 = _norm(self.slope, scales)
            h0 = torch.where((d0 < 1e-5) | (d1 < 1e-5), 1e-6 * span, 0.01 * d0 / d1)
            h0 = h0.nan_to_num(nan=0.0).clamp(max(self.floor, 1e-12 * span), span)
            device_h0 = self._on_device(sign * h0)
            probe = tuple(
                part + device_h0.reshape(-1, *[1] * (part.dim() - 1)) * slope
                for part, slope in zip(self.parts, self.slope, strict=True)
            )
            then = torch.where(h0 < span, self.t + sign * h0, self.t1)
            ahead = self.guard(self._on_device(then)[:, None], probe)
            change = tuple(b - a for a, b in zip(self.slope, ahead, strict=True))
            largest = torch.maximum(d1, _norm(change, scales).nan_to_num(nan=math.inf) / h0)
            h1 = (0.01 / largest).pow(1 / self.tableau.order)
            h1 = torch.where(largest <= 1e-15, (1e-3 * h0).clamp(min=1e-6 * span), h1)
        return sign * torch.minimum(100 * h0, h1).clamp(max(self.floor, 1e-12 * span), span)

    def _retire(self, done: Tensor) -> None:
        """Take rows out of the computation."""
        gone, left = done.nonzero().flatten(), (~done).nonzero().flatten()
        self.evaluations[self.active[gone]] = self.guard.calls
        device = self.parts[0].device
        there = gone.to(device)
        self.finished.append((self.active[gone], tuple(part.index_select(0, there) for part in self.parts)))
        there = left.to(device)
        self.parts = tuple(part.index_select(0, there) for part in self.parts)
        self.slope = tuple(part.index_select(0, there) for part in self.slope)
        self.active = self.active[left]
        self.rows = self.active.to(device)
        self.t, self.h = self.t[left], self.h[left]
        self.ratio, self.kept_ratio = self.ratio[left], self.kept_ratio[left]

    def _gather(self) -> Parts:
        """The finished rows in their first order."""
        order = torch.cat([index for index, _ in self.finished]).argsort().to(self.parts[0].device)
        columns = zip(*(parts for _, parts in self.finished), strict=True)
        return tuple(torch.cat(column).index_select(0, order) for column in columns)

    def _stuck(self, stuck: Tensor) -> IntegrationError:
        """The error for rows whose step underflows; values that are never finite have their own."""
        lost = stuck & self.ratio.isinf()
        which = lost if bool(lost.any()) else stuck
        error = self.guard.non_finite if bool(lost.any()) else self.guard.underflow
        return error(float(self.t[which][0]), self.active[which], self.total)

    def _on_device(self, values: Tensor) -> Tensor:
        return values.to(self.parts[0].dtype).to(self.parts[0].device)


def _size(values: Tensor) -> Tensor:
    """`(r, ...) -> (r,)`: the root mean square of each row."""
    return values.reshape(values.shape[0], -1).pow(2).mean(1).sqrt()


def _norm(parts: Parts, scales: list[Tensor]) -> Tensor:
    """`(r,)` on the CPU: the largest scaled size among the parts."""
    sizes = [_size(part / scale) for part, scale in zip(parts, scales, strict=True)]
    return torch.stack(sizes).amax(0).cpu().double()


def _select(mask: Tensor, new: Parts, old: Parts) -> Parts:
    """Row by row, the new state where the mask holds."""
    return tuple(
        torch.where(mask.reshape(-1, *[1] * (after.dim() - 1)), after, before)
        for after, before in zip(new, old, strict=True)
    )
