"""Coefficients of embedded Runge-Kutta pairs. The one file that looks inside torchdiffeq."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

__all__ = ["Tableau", "from_torchdiffeq", "stage", "weighted"]


class Tableau(NamedTuple):
    """A pair whose last stage is the first of the next step ("first same as last").

    `nodes` and `stages` start with the second stage; the last row of `stages` are therefore the
    weights of the solution. `error` holds one weight for each stage, the first included.
    """

    order: int
    nodes: tuple[float, ...]
    stages: tuple[tuple[float, ...], ...]
    error: tuple[float, ...]


def from_torchdiffeq(method: str) -> Tableau:
    """The coefficients that torchdiffeq uses for this method, in float64."""
    from torchdiffeq._impl.odeint import SOLVERS

    solver = SOLVERS[method]
    return Tableau(
        solver.order,
        tuple(solver.tableau.alpha.tolist()),
        tuple(tuple(row.tolist()) for row in solver.tableau.beta),
        tuple(solver.tableau.c_error.tolist()),
    )


def weighted(weights: Sequence[float], slopes: Sequence[Tensor]) -> Tensor:
    """The sum of weight times slope, leaving out what weighs nothing."""
    terms = [(weight, slope) for weight, slope in zip(weights, slopes, strict=True) if weight]
    total = terms[0][1] * terms[0][0]
    for weight, slope in terms[1:]:
        total = total.add(slope, alpha=weight)
    return total


def stage(
    parts: Sequence[Tensor],
    h: Sequence[Tensor | float],
    weights: Sequence[float],
    slopes: Sequence[Sequence[Tensor]],
) -> tuple[Tensor, ...]:
    """Each part of the state moved by its step `h` along the weighted slopes so far."""
    return tuple(
        part + step * weighted(weights, [slope[i] for slope in slopes])
        for i, (part, step) in enumerate(zip(parts, h, strict=True))
    )
