"""A path of Brownian motion that stochastic integrators can be compared on."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence

import torch
from torch import Tensor

from ..errors import ConfigError
from ..randomness import generator_for

__all__ = ["BrownianPath"]

ROUNDING = 1e-9


class BrownianPath:
    """Independent Brownian motions on an interval, of any resolution: see `sbicore.protocols.Brownian`.

    The path is drawn where it is first asked for, from its law given all that is known of it, and kept:
    intervals that overlap, meet or lie in each other are pieces of one path. The same questions in
    the same order give the same numbers.

    Args:
        shape: shape of the state.
        seed: which path.
        t0: one end of the interval.
        t1: the other.
        dtype: of the values.
    """

    def __init__(
        self,
        shape: Sequence[int],
        *,
        seed: int,
        t0: float = 0.0,
        t1: float = 1.0,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.shape, self.dtype = tuple(shape), dtype
        self._generator = generator_for(seed)
        low, high = float(min(t0, t1)), float(max(t0, t1))
        w, z = _joined(self._cell(high - low), high - low)
        # At each time that was asked for: the path, and its integral since `low`.
        self._times = [low, high]
        self._path, self._integral = [torch.zeros_like(w), w], [torch.zeros_like(z), z]

    def __call__(self, t0: float, t1: float) -> tuple[Tensor, Tensor]:
        """Increment `W` and space-time Lévy area `H` from t0 to t1, in either direction.

        Raises:
            ConfigError: a time outside of the interval.
        """
        if t0 == t1:
            return torch.zeros(self.shape, dtype=self.dtype), torch.zeros(self.shape, dtype=self.dtype)
        low = self._know(min(t0, t1))
        high = self._know(max(t0, t1))
        span = self._times[high] - self._times[low]
        mean = (self._integral[high] - self._integral[low]) / span
        h = mean - (self._path[low] + self._path[high]) / 2
        w = self._path[high] - self._path[low]
        return (w if t1 > t0 else -w).to(self.dtype), h.to(self.dtype)

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
        w, h = torch.randn((2, *self.shape), dtype=torch.float64, generator=self._generator) * math.sqrt(span)
        return w, h / math.sqrt(12)


def _joined(cell: tuple[Tensor, Tensor], span: float) -> tuple[Tensor, Tensor]:
    """W, and the integral of the path over the interval relative to its start, from W and H."""
    w, h = cell
    return w, span * (w / 2 + h)
