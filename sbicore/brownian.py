"""A path of Brownian motion: the noise of stochastic integrators."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from .errors import ConfigError
from .randomness import generator_for, randn

__all__ = ["BrownianPath", "BrownianRows"]

ROUNDING = 1e-9


class BrownianPath:
    """Independent Brownian motions on an interval, of any resolution: see `sbicore.protocols.Brownian`.

    The path is drawn where it is first asked for, from its law given all that is known of it, and kept:
    intervals that overlap, meet or lie in each other are pieces of one path. The same questions in
    the same order give the same numbers.

    Args:
        shape: shape of the state.
        seed: which path; not needed with `generator`.
        t0: one end of the interval.
        t1: the other.
        dtype: of the values.
        generator: where the numbers come from, one or one for each row.
        device: of the values.
        forgets: keep nothing of what lies between t0 and the latest time at which a question began. Questions then
            only go on from there, and long paths take no memory.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        seed: int = 0,
        t0: float = 0.0,
        t1: float = 1.0,
        dtype: torch.dtype = torch.float64,
        generator: Generator | Sequence[Generator] | None = None,
        device: torch.device | str = "cpu",
        forgets: bool = False,
    ) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self._generator = generator_for(seed) if generator is None else generator
        self._like = torch.empty(0, dtype=dtype, device=device)
        self._forgets, self._ends = forgets, (float(t0), float(t1))
        low, high = sorted(self._ends)
        w, z = _joined(self._cell(high - low), high - low)
        # At each time that was asked for: the path, and its integral since `low`.
        self._times = [low, high]
        self._path, self._integral = [torch.zeros_like(w), w], [torch.zeros_like(z), z]

    def __call__(self, t0: Any, t1: Any) -> tuple[Tensor, Tensor]:
        """Increment `W` and space-time Lévy area `H` from t0 to t1, in either direction.

        Raises:
            ConfigError: a time outside of the interval.
        """
        if isinstance(t0, Tensor):
            return _by_row(lambda i, start, stop: tuple(part[i] for part in self(start, stop)), t0, t1)
        if t0 == t1:
            return self._like.new_zeros(self.shape), self._like.new_zeros(self.shape)
        low = self._know(min(t0, t1))
        high = self._know(max(t0, t1))
        span = self._times[high] - self._times[low]
        mean = (self._integral[high] - self._integral[low]) / span
        h = mean - (self._path[low] + self._path[high]) / 2
        w = self._path[high] - self._path[low]
        if self._forgets:
            self._forget(t0)
        return (w if t1 > t0 else -w), h

    def _know(self, t: float) -> int:
        """The place of a time among those known, after drawing the path there if needed."""
        first, last = self._times[0], self._times[-1]
        inside = min(max(float(t), first), last)
        if not abs(t - inside) <= ROUNDING * (last - first):
            raise ConfigError(f"the path runs from {first:g} to {last:g}, but is asked at {t:g}")
        t = inside
        place = bisect_left(self._times, t)
        if self._times[place] != t:
            left, right = self._times[place - 1], self._times[place]
            w, z = self._split(place, t - left, right - t)
            self._times.insert(place, t)
            self._path.insert(place, self._path[place - 1] + w)
            self._integral.insert(place, self._integral[place - 1] + (t - left) * self._path[place - 1] + z)
        return place

    def _split(self, place: int, first: float, second: float) -> tuple[Tensor, Tensor]:
        """W and the integral over the first part of a cell, given both over all of it.

        Two parts are drawn freely and moved by the regression on what the cell must have.
        """
        span = first + second
        w = self._path[place] - self._path[place - 1]
        z = self._integral[place] - self._integral[place - 1] - span * self._path[place - 1]
        parts = self._cell(first), self._cell(second)
        free_w = parts[0][0] + parts[1][0]
        free_z = _joined(parts[0], first)[1] + second * parts[0][0] + _joined(parts[1], second)[1]
        gap_w = w - free_w
        gap_h = (z - free_z) / span - gap_w / 2
        own_w = parts[0][0] + first / span * gap_w + 6 * first * second / span**2 * gap_h
        own_h = parts[0][1] + (first / span) ** 2 * gap_h
        return _joined((own_w, own_h), first)

    def _cell(self, span: float) -> tuple[Tensor, Tensor]:
        """W and H over an interval of which nothing is known."""
        w, h = (randn(self.shape, self._generator, self._like) * math.sqrt(span) for _ in range(2))
        return w, h / math.sqrt(12)

    def _forget(self, t: float) -> None:
        """Drop the times that lie behind t on the way from `t0` to `t1`, but for the nearest."""
        backwards = self._ends[1] < self._ends[0]
        place = bisect_left(self._times, t)
        kept = slice(0, place + 2) if backwards else slice(max(place - 1, 0), None)
        self._times = self._times[kept]
        self._path, self._integral = self._path[kept], self._integral[kept]


class BrownianRows:
    """A path for each row, for rows that are at different times: see `sbicore.protocols.Brownian`.

    Args:
        paths: one for each row, of the shape of that row.
    """

    def __init__(self, paths: Sequence[BrownianPath]) -> None:
        self.paths = paths

    def __call__(self, t0: Tensor, t1: Tensor) -> tuple[Tensor, Tensor]:
        """Increments and areas `(R, ...)` from `t0 (R,)` to `t1 (R,)`."""
        return _by_row(lambda i, start, stop: self.paths[i](start, stop), t0, t1)


def _by_row(ask: Callable[[int, float, float], Any], t0: Tensor, t1: Tensor) -> tuple[Tensor, Tensor]:
    """One question for each row."""
    pairs = [ask(i, start, stop) for i, (start, stop) in enumerate(zip(t0.tolist(), t1.tolist(), strict=True))]
    return torch.stack([w for w, _ in pairs]), torch.stack([h for _, h in pairs])


def _joined(cell: tuple[Tensor, Tensor], span: float) -> tuple[Tensor, Tensor]:
    """W, and the integral of the path over the interval relative to its start, from W and H."""
    w, h = cell
    return w, span * (w / 2 + h)
