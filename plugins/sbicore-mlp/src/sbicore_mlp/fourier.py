"""Fourier features of a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FourierFeatures"]


class FourierFeatures(nn.Module):
    """`t (*) -> (*, 1 + dim)`: t itself, then sines and cosines of trainable frequencies.

    With `dim=1` the raw time alone. Source: arXiv:2006.10739, §4.

    Args:
        dim: number of sines and cosines together, even; or 1.
        scale: standard deviation of the initial frequencies, in cycles per unit of time.
    """

    def __init__(self, dim: int, scale: float) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(2 * math.pi * scale * torch.randn(dim // 2)) if dim > 1 else None
        self.out_features = 1 if dim == 1 else 1 + dim

    def forward(self, t: Tensor) -> Tensor:
        """Features on a new last axis."""
        t = t.unsqueeze(-1)
        if self.frequencies is None:
            return t
        angles = t * self.frequencies
        return torch.cat([t, angles.sin(), angles.cos()], dim=-1)
