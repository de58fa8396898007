"""Learned features of the times of a series."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["Time2Vec", "TimedSeries"]


class Time2Vec(nn.Module):
    """`t (*) -> (*, dim)`: one linear feature, then sines of trained frequencies (arXiv:1907.05321, eq. 1).

    Args:
        dim: number of features.
        size: entries in a unit of time. The sines start at half a cycle a unit up to half a cycle an entry, evenly on
            a logarithmic scale, with random phases; the linear feature starts as the time.
    """

    def __init__(self, dim: int, size: int) -> None:
        super().__init__()
        cycles = torch.logspace(math.log10(0.5), math.log10(max(size, 2) / 2), dim - 1)
        self.scale = nn.Parameter(torch.cat([torch.ones(1), 2 * math.pi * cycles]))
        self.shift = nn.Parameter(torch.cat([torch.zeros(1), 2 * math.pi * torch.rand(dim - 1)]))

    def forward(self, t: Tensor) -> Tensor:
        """Features on a new last axis."""
        linear, angles = torch.addcmul(self.shift, t.unsqueeze(-1), self.scale).tensor_split([1], dim=-1)
        return torch.cat([linear, angles.sin()], dim=-1)


class TimedSeries(nn.Module):
    """`(R, N, F) -> (R, N, F + dim)`, or `F - 1 + dim` where a feature holds the times: features and embedded times.

    Args:
        size: entries of the series that the network is built for. Counted times are `0, 1/size, 2/size, ...`.
        dim: features of the time.
        time_axis: index of the feature that holds the times, which is taken out; None counts the entries.
    """

    def __init__(self, size: int, dim: int, time_axis: int | None) -> None:
        super().__init__()
        self.size, self.time_axis = size, time_axis
        self.embedding = Time2Vec(dim, size)

    def forward(self, x: Tensor) -> Tensor:
        """Counted times are embedded once for all rows."""
        if self.time_axis is None:
            times = torch.arange(x.shape[1], device=x.device, dtype=x.dtype) / self.size
            return torch.cat([x, self.embedding(times).expand(len(x), -1, -1)], dim=-1)
        axis = self.time_axis % x.shape[-1]
        before, times, after = x.tensor_split([axis, axis + 1], dim=-1)
        return torch.cat([before, after, self.embedding(times.squeeze(-1))], dim=-1)
