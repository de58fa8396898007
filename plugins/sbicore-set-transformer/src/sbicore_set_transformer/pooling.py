"""Pooling over the entries of a set that a mask leaves, at least one of them in each."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["POOLINGS"]


def mean(h: Tensor, mask: Tensor | None = None) -> Tensor:
    """`(h (B, N, width), mask (B, N)) -> (B, width)`."""
    if mask is None:
        return h.mean(-2)
    total = h.masked_fill(~mask.unsqueeze(-1), 0.0).sum(-2)
    return total / mask.sum(-1, keepdim=True)


def largest(h: Tensor, mask: Tensor | None = None) -> Tensor:
    """`(h (B, N, width), mask (B, N)) -> (B, width)`."""
    return (h if mask is None else h.masked_fill(~mask.unsqueeze(-1), -math.inf)).amax(-2)


def smallest(h: Tensor, mask: Tensor | None = None) -> Tensor:
    """`(h (B, N, width), mask (B, N)) -> (B, width)`."""
    return (h if mask is None else h.masked_fill(~mask.unsqueeze(-1), math.inf)).amin(-2)


POOLINGS = {"mean": mean, "max": largest, "min": smallest}
