"""Stochastic and denoising draws from the field that carries noise to data.

Along `y = (1 - t) x + t e`, of data x and normal noise e, the field is `v = E[e - x | y]`. It tells the expected noise
`y + (1 - t) v`, the expected data `y - t v`, and the score `-(y + (1 - t) v) / t` of y. For any g, the equation
`dy = (v - g² score / 2) dt + g dW`, solved from noise to data, has the marginal laws of the field (arXiv:2303.08797,
theorem 2.8; arXiv:2206.00364, eq. 6). Here `g² = 2 t`, and the drift `v + E[e | y]`. The reversed diffusion of
arXiv:2011.13456 has `g² = 2 t / (1 - t)`: the same near the data, and without bound near the noise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from .brownian import BrownianPath, BrownianRows
from .config import IntegratorConfig
from .randomness import randn

__all__ = ["Drawing", "drawing"]

Field = Callable[[Tensor, Tensor, "Tensor | None"], Tensor]


class Drawing(NamedTuple):
    """What an integrator is told: its field, and where its noise comes from."""

    field: Field
    more: dict[str, Any]


def drawing(
    method: IntegratorConfig,
    velocity: Field,
    start: Tensor,
    t0: float,
    known: Tensor | None,
    generator: Generator | Sequence[Generator] | None,
) -> Drawing:
    """The field that this method solves to draw, and its noise.

    Args:
        method: config of the integrator.
        velocity: `(t, y, rows) -> v`.
        start: the state at `t0`, `(R, S, *event)`.
        t0: where draws start; they end at 0.
        known: True where targets are given, which stay as they are in `start`.
        generator: one, or one for each row.
    """
    if not (method.stochastic or method.denoises):
        return Drawing(velocity, {})

    def drift(t: Tensor, y: Tensor, rows: Tensor | None) -> Tensor:
        v = velocity(t, y, rows)
        noise = y + (1 - _wide(t, y)) * v
        return v + (noise if known is None else torch.where(_rows(known, rows), 0.0, noise))

    def denoiser(t: Tensor, y: Tensor, rows: Tensor | None) -> Tensor:
        if known is None:
            return y - _wide(t, y) * velocity(t, y, rows)
        fixed, given = _rows(known, rows), _rows(start, rows)
        y = torch.where(fixed, given, y)
        return torch.where(fixed, given, y - _wide(t, y) * velocity(t, y, rows))

    def fresh() -> Tensor:
        noise = randn(start.shape, generator, start)
        return noise if known is None else torch.where(known, 0.0, noise)

    if method.denoises:
        return Drawing(denoiser, {"noise": fresh})
    path = _path(start, t0, generator, by_row=method.adaptive)

    def brownian(a: Any, b: Any) -> tuple[Tensor, Tensor]:
        w, area = path(a, b)
        return (w, area) if known is None else (torch.where(known, 0.0, w), torch.where(known, 0.0, area))

    return Drawing(drift, {"diffusion": lambda t: (2 * t).sqrt(), "brownian": brownian})


def _path(start: Tensor, t0: float, generator: Any, *, by_row: bool) -> Any:
    facts: dict[str, Any] = {"t0": t0, "t1": 0.0, "dtype": start.dtype, "device": start.device, "forgets": True}
    if not by_row:
        return BrownianPath(start.shape, generator=_or_default(generator), **facts)
    if generator is None or isinstance(generator, Generator):
        generators = [_or_default(generator)] * len(start)
    else:
        generators = list(generator)
    return BrownianRows([BrownianPath(start.shape[1:], generator=own, **facts) for own in generators])


def _or_default(generator: Any) -> Any:
    return torch.default_generator if generator is None else generator


def _wide(t: Tensor, y: Tensor) -> Tensor:
    return t.reshape(-1, *[1] * (y.ndim - 1))


def _rows(values: Tensor, rows: Tensor | None) -> Tensor:
    return values if rows is None else values[rows]
