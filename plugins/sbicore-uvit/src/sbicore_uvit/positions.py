"""Where a pixel is."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["Positions"]

_FREQUENCIES = 12
_SLOWEST, _FASTEST = 1 / 256, 1 / 4
"""In cycles per pixel."""


class Positions(nn.Module):
    """`h (N, W, *space) -> h + place (W, *space)`, with any number of pixels.

    A place is a sum over the axes of learned maps of sines and cosines of the distance from the middle, so that what
    was learned at one size holds at another.
    """

    frequencies: Tensor

    def __init__(self, width: int, axes: int) -> None:
        super().__init__()
        steps = torch.linspace(math.log(_SLOWEST), math.log(_FASTEST), _FREQUENCIES)
        self.register_buffer("frequencies", 2 * math.pi * steps.exp(), persistent=False)
        self.maps = nn.ModuleList(nn.Linear(2 * _FREQUENCIES, width, bias=False) for _ in range(axes))

    def forward(self, h: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        for axis, learned in enumerate(self.maps):
            side = h.shape[2 + axis]
            place = torch.arange(side, device=h.device, dtype=self.frequencies.dtype) - (side - 1) / 2
            angles = place.unsqueeze(-1) * self.frequencies
            told = learned(torch.cat([angles.sin(), angles.cos()], dim=-1)).transpose(0, 1)
            h = h + told.reshape(-1, *(side if other == axis else 1 for other in range(len(self.maps))))
        return h
