"""Vector fields with known solutions, and a field that keeps account of how it is asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..randomness import generator_for

__all__ = ["DECAY", "Tally", "cloud", "swirl", "swirled", "wide"]

DECAY = 0.2


def swirl(t: Tensor, x: Tensor, rows: Tensor | None = None) -> Tensor:
    """Turns points of the plane at a speed that depends on time and radius, and draws them in.

    `dx/dt = (2 + sin 3t + |x|²) J x - DECAY x`, of divergence `-2 DECAY`.
    """
    speed = 2 + torch.sin(3 * wide(t, x)) + x.square().sum(-1, keepdim=True)
    return speed * torch.stack([-x[..., 1], x[..., 0]], -1) - DECAY * x


def swirled(x: Tensor, t0: float, t1: float) -> Tensor:
    """The exact solution of `swirl` from x at t0, in float64: `(*, 2) -> (*, 2)`."""
    x, span = x.double(), t1 - t0
    shrunk = -math.expm1(-2 * DECAY * span) / (2 * DECAY)
    angle = 2 * span - (math.cos(3 * t1) - math.cos(3 * t0)) / 3 + shrunk * x.square().sum(-1)
    cos, sin = angle.cos(), angle.sin()
    turned = torch.stack([cos * x[..., 0] - sin * x[..., 1], sin * x[..., 0] + cos * x[..., 1]], -1)
    return math.exp(-DECAY * span) * turned


def cloud(*lead: int) -> Tensor:
    """Points of the plane to start from, `(*lead, 2)` in float64."""
    return torch.rand((*lead, 2), dtype=torch.float64, generator=generator_for(5)) - 0.5


def wide(t: Tensor, x: Tensor) -> Tensor:
    """A time `(1,)` or `(r, 1)` with as many axes as x."""
    return t.reshape(-1, *[1] * (x.dim() - 1))


class Tally:
    """A field that notes how often each row was asked for, at which times, and what looks wrong."""

    def __init__(self, field: Callable[..., Any], rows: int) -> None:
        self.field, self.total = field, rows
        self.counts = torch.zeros(rows, dtype=torch.long)
        self.times: list[float] = []
        self.wrong: list[str] = []

    def __call__(self, t: Tensor, x: Tensor, rows: Tensor | None) -> Any:
        here = self.total if rows is None else len(rows)
        if t.shape not in {(1,), (here, 1)}:
            self.wrong.append(f"t has shape {tuple(t.shape)}, expected (1,) or {(here, 1)}")
        if (t.dtype, t.device) != (x.dtype, x.device):
            self.wrong.append(f"t is {t.dtype} on {t.device}, the state {x.dtype} on {x.device}")
        if len(x) != here:
            self.wrong.append(f"the state has {len(x)} rows where {here} were announced")
        self.counts[slice(None) if rows is None else rows.cpu()] += 1
        self.times += t.detach().double().flatten().tolist()
        return self.field(t, x, rows)
