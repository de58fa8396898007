"""From the pixels of the last stage to one vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

__all__ = ["AttentionPool", "AveragePool", "MaxPool", "pooling"]

_HEADS = 4


class AveragePool(nn.Module):
    """`(R, W, h, w) -> (R, W)`: the mean over pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Any number of pixels."""
        return x.mean(dim=(-2, -1))


class MaxPool(nn.Module):
    """`(R, W, h, w) -> (R, W)`: the largest value of each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """Any number of pixels."""
        return x.amax(dim=(-2, -1))


class AttentionPool(nn.Module):
    """`(R, W, h, w) -> (R, W)`: a mean over pixels whose weights are a softmax of learned scores.

    Each head weighs its own share of the channels. Scores start at zero, and so this starts as the plain mean.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = math.gcd(width, _HEADS)
        self.scores = nn.Conv2d(width, self.heads, 1, bias=False)
        nn.init.zeros_(self.scores.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Any number of pixels."""
        weights = self.scores(x).flatten(2).softmax(dim=-1)
        values = x.flatten(2).unflatten(1, (self.heads, -1))
        return torch.einsum("rhp,rhvp->rhv", weights, values).flatten(1)


def pooling(name: str, width: int, size: Sequence[int]) -> tuple[nn.Module, int]:
    """The pooling of this name, and how many features `(R, W, h, w)` of this size have after it."""
    if name == "flatten":
        return nn.Flatten(), width * math.prod(size)
    if name == "attention":
        return AttentionPool(width), width
    return MaxPool() if name == "max" else AveragePool(), width
