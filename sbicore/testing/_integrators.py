"""Integrators, on `dx/dt = -x cos t`."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

ROUNDING = 1e-12


def solve(config: Any, t0: float, t1: float, steps: int) -> float:
    """The largest error relative to `x0 exp(sin t0 - sin t1)`, in float64."""
    x = torch.tensor([[1.0, -2.0], [0.5, 3.0]], dtype=torch.float64)

    def field(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
        return -x * t.cos()

    got = config.integrate(field, x, t0, t1, steps=steps).state
    assert got.shape == x.shape, f"expected shape {tuple(x.shape)}, got {tuple(got.shape)}"
    return float((got / x / math.exp(math.sin(t0) - math.sin(t1)) - 1).abs().max())


def check_order(config: Any) -> None:
    """With equal steps the error falls at the declared order, in both directions."""
    for t0, t1 in ((0.0, 2.0), (2.0, 0.0)):
        errors = {steps: solve(config, t0, t1, steps) for steps in (4, 8, 16, 32, 64)}
        fine = [steps for steps in errors if 2 * steps in errors and errors[2 * steps] > ROUNDING]
        orders = [math.log2(errors[steps] / errors[2 * steps]) for steps in fine]
        assert max(orders[-2:], default=math.inf) >= config.order - 0.3, (
            f"declared {config.order}, but halving the steps from {t0} to {t1} gives orders {orders}"
        )


def check_report(config: Any) -> None:
    """The solution counts evaluations and steps for each row."""
    solution = config.integrate(lambda t, x, rows: -x, torch.ones(2, 1), 0.0, 1.0, steps=3)
    assert solution.steps.tolist() == [3, 3], f"3 steps were asked for, {solution.steps.tolist()} reported"
    assert (solution.evaluations >= 3).all(), f"got {solution.evaluations.tolist()} evaluations"


CHECKS = (check_order, check_report)
