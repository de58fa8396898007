"""Predators and prey, many pairs at once: x' = a x - b x y, y' = -c y + d x y.

In logarithms, u' = a - b exp(v) and v' = -c + d exp(u): states stay positive, and a tolerance is a relative one.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from sbicore.integrators import Dopri8

from ._priors import Array

METHOD = Dopri8(max_evaluations=100_000)
TOLERANCE = 1e-8
"""Keeps log states within 1e-6 for draws of both priors (SIR and Lotka-Volterra), peaks included."""


def log_states(rates: Array, start: tuple[float, float], times: Array) -> Array:
    """`rates (R, 4)` of a, b, c, d and the state at `times[0]` to log x and log y, `(R, T, 2)`.

    Raises:
        IntegrationError: rates that are not finite, or so large that the solution cannot be followed.
    """
    a, b, c, d = torch.from_numpy(np.ascontiguousarray(rates.T))

    def field(t: Tensor, x: tuple[Tensor, Tensor], rows: Tensor | None) -> tuple[Tensor, Tensor]:
        u, v = x
        if rows is None:
            return a - b * v.exp(), d * u.exp() - c
        return a[rows] - b[rows] * v.exp(), d[rows] * u.exp() - c[rows]

    state = tuple(torch.full_like(a, math.log(value)) for value in start)
    path = [torch.stack(state, dim=-1)]
    for before, after in pairwise(times.tolist()):
        state = METHOD.integrate(field, state, before, after, rtol=TOLERANCE, atol=TOLERANCE).state
        path.append(torch.stack(state, dim=-1))
    return torch.stack(path, dim=1).numpy()
