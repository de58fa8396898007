"""Monotone rational-quadratic splines (arXiv:1906.04032, eqs. 4-8 and appendix A.3) with linear tails.

Domain, bins and slopes all depend on the subnet. At both ends of the domain the slope is that of the domain as a whole,
which the tails keep, so that the map is continuously differentiable; raw parameters of zero are the identity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from .transform_options import SplineOptions

__all__ = ["Spline"]

_ONE = math.log(math.e - 1)
"""softplus(_ONE) = 1."""
_LEAST_SLOPE = 1e-3
_UNIT = math.log(math.expm1(math.sinh(1)))
"""arcsinh(softplus(_UNIT)) = 1."""


class Spline:
    """`3 K + 3` raw parameters a coordinate: edges, extents, bin widths, bin heights, inner slopes."""

    def __init__(self, options: SplineOptions) -> None:
        left, right, bottom, top = options.default_domain
        self.bins = options.bins
        self.size = 3 * options.bins + 3
        self.edges = (left, bottom)
        self.extents = (right - left, top - bottom)
        self.smallest = options.smallest
        self.smallest_bins = (options.min_bin_width, options.min_bin_height)

    def forward(self, x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        """`y` and the log derivative of each coordinate: `(*, d), (*, d, 3 K + 3) -> (*, d), (*, d)`."""
        curve = self._curve(raw)
        b = curve.bin_of(x, axis=0)
        place = ((x - b.x) / b.width).clamp(0, 1)
        both = place * (1 - place)
        denominator = b.slope + b.bend * both
        y = b.y + b.height * (b.slope * place.square() + b.before * both) / denominator
        rise = b.after * place.square() + 2 * b.slope * both + b.before * (1 - place).square()
        log_derivative = 2 * b.slope.log() + rise.log() - 2 * denominator.log()
        inside = curve.inside(x, axis=0)
        tail = curve.edge[..., 1] + curve.slope * (x - curve.edge[..., 0])
        return torch.where(inside, y, tail), torch.where(inside, log_derivative, curve.slope.log())

    def inverse(self, y: Tensor, raw: Tensor) -> Tensor:
        """`x` from `y`: the root of a quadratic in the bin, in the form without cancellation."""
        curve = self._curve(raw)
        b = curve.bin_of(y, axis=1)
        above = (y - b.y).clamp_min(0).minimum(b.height)
        bent = above * b.bend
        p = b.height * (b.slope - b.before) + bent
        q = b.height * b.before - bent
        r = b.slope * above
        place = 2 * r / (q + (q.square() + 4 * p * r).clamp_min(0).sqrt())
        inside = curve.inside(y, axis=1)
        tail = curve.edge[..., 0] + (y - curve.edge[..., 1]) / curve.slope
        return torch.where(inside, b.x + place * b.width, tail)

    def _curve(self, raw: Tensor) -> _Curve:
        """Knots and slopes from raw parameters."""
        edges, extents, bins, slopes = raw.split((2, 2, 2 * self.bins, self.bins - 1), dim=-1)
        smallest, smallest_bins = raw.new_tensor(self.smallest), raw.new_tensor(self.smallest_bins)
        edge = edges + raw.new_tensor(self.edges)
        room = raw.new_tensor(self.extents) - smallest
        extent = smallest + room * functional.softplus(extents + _UNIT).asinh()
        shares = bins.unflatten(-1, (2, self.bins)).softmax(-1)
        sizes = smallest_bins[:, None] + (extent - self.bins * smallest_bins).unsqueeze(-1) * shares
        knots = edge.unsqueeze(-1) + functional.pad(sizes.cumsum(-1), (1, 0))
        slope = extent[..., 1] / extent[..., 0]
        ends = slope.unsqueeze(-1)
        inner = _LEAST_SLOPE + (1 - _LEAST_SLOPE) * functional.softplus(slopes + _ONE)
        return _Curve(edge, extent, slope, knots, torch.cat([ends, inner, ends], dim=-1))


class _Bin(NamedTuple):
    """The bin of each coordinate: its corner, size, and the slopes at both ends."""

    x: Tensor
    y: Tensor
    width: Tensor
    height: Tensor
    before: Tensor
    after: Tensor

    @property
    def slope(self) -> Tensor:
        """Of the bin as a whole."""
        return self.height / self.width

    @property
    def bend(self) -> Tensor:
        """By how much the slopes at both ends together exceed twice the bin's own."""
        return self.before + self.after - 2 * self.slope


class _Curve(NamedTuple):
    """`edge, extent (*, d, 2)`, `slope (*, d)`, `knots (*, d, 2, K + 1)` in x and y, `slopes (*, d, K + 1)`."""

    edge: Tensor
    extent: Tensor
    slope: Tensor
    knots: Tensor
    slopes: Tensor

    def inside(self, value: Tensor, axis: int) -> Tensor:
        """Whether each coordinate lies in the domain (axis 0) or its image (axis 1)."""
        knots = self.knots[..., axis, :]
        return (value >= knots[..., 0]) & (value <= knots[..., -1])

    def bin_of(self, value: Tensor, axis: int) -> _Bin:
        """The bin in which each coordinate lies, the outermost ones beyond the domain."""
        index = (value.unsqueeze(-1) >= self.knots[..., axis, 1:-1]).sum(-1)
        table = torch.cat([self.knots, self.slopes.unsqueeze(-2)], dim=-2)
        table = table.expand(*index.shape, *table.shape[-2:])
        at = torch.stack([index, index + 1], dim=-1).unsqueeze(-2).expand(*index.shape, 3, 2)
        (x, x_next), (y, y_next), (before, after) = (ends.unbind(-1) for ends in table.gather(-1, at).unbind(-2))
        return _Bin(x, y, x_next - x, y_next - y, before, after)
