"""Equal steps of an embedded pair, without control."""

from __future__ import annotations

from itertools import pairwise

import torch

from ._fixed import grid
from ._guard import Guard
from ._solution import Parts
from ._tableau import Tableau, stage

__all__ = ["march"]


def march(tableau: Tableau, guard: Guard, parts: Parts, t0: float, t1: float, steps: int) -> tuple[Parts, int, int]:
    """All rows share the time; the last stage of the pair is not needed.

    Raises:
        IntegrationError: non-finite rows at the end.
    """
    knots = grid(t0, t1, steps)
    nodes = (0.0, *tableau.nodes[:-1])
    host = [[stop if node == 1 else start + node * (stop - start) for node in nodes] for start, stop in pairwise(knots)]
    times = torch.tensor(host, dtype=torch.float64).to(parts[0].dtype).to(parts[0].device)
    for i in range(steps):
        guard.watch(knots[i], parts)
        h = [knots[i + 1] - knots[i]] * len(parts)
        slopes = [guard(times[i, :1], parts)]
        for j, weights in enumerate(tableau.stages[:-1], start=1):
            slopes.append(guard(times[i, j : j + 1], stage(parts, h, weights, slopes)))
        parts = stage(parts, h, tableau.stages[-1], slopes)
    guard.check(t1, parts)
    return parts, guard.calls, steps
