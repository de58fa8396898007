"""What goes into the blocks: tokens of variables, and Fourier features of numbers."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["FourierFeatures", "VariableTokens"]


class FourierFeatures(nn.Module):
    """`x (*) -> (*, 1 + dim)`: x itself, then sines and cosines of trainable frequencies.

    Source: arXiv:2006.10739, section 4.

    Args:
        dim: number of sines and cosines together, even.
        scale: standard deviation of the initial frequencies, in cycles per unit.
    """

    def __init__(self, dim: int, scale: float) -> None:
        super().__init__()
        self.frequencies = nn.Parameter(2 * math.pi * scale * torch.randn(dim // 2)) if dim else None
        self.out_features = 1 + dim

    def forward(self, x: Tensor) -> Tensor:
        """Features on a new last axis."""
        x = x.unsqueeze(-1)
        if self.frequencies is None:
            return x
        angles = x * self.frequencies
        return torch.cat([x, angles.sin(), angles.cos()], dim=-1)


class VariableTokens(nn.Module):
    """`x (*, N) -> (*, N, width)`: a linear map of the features of each value, and the variable's identity.

    The map is shared. The identities start with unit variance, as large as what is added to them,
    so that attention tells variables apart from the first step on.
    """

    def __init__(self, count: int, width: int, dim: int, scale: float) -> None:
        super().__init__()
        self.features = FourierFeatures(dim, scale)
        self.linear = nn.Linear(self.features.out_features, width, bias=False)
        self.identity = nn.Parameter(torch.randn(count, width))

    def forward(self, x: Tensor) -> Tensor:
        """One token a number."""
        return self.linear(self.features(x)) + self.identity
