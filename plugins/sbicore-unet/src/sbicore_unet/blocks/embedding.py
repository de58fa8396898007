"""What the time, and conditions without pixels, say to every block."""

from __future__ import annotations

import math

import torch
from torch import Size, Tensor, nn

from sbicore.shapes import Shapes

from .style import activation as active

__all__ = ["Embedding"]

_SLOWEST, _FASTEST = 0.25, 8.0
"""Frequencies, in cycles per unit of time."""
_EXPANSION = 4


class Embedding(nn.Module):
    """`t (*), conditions (*, C), lead -> (N, E)`, or `(1, E)` where all rows have the same.

    The time itself beside sines and cosines of it, then two layers; a vector of conditions is added between them.

    Args:
        shapes: whose conditions may be vectors.
        dim: number of sines and cosines together, even.
        activation: name of that between the layers and at the end.
    """

    frequencies: Tensor

    def __init__(self, shapes: Shapes, dim: int, activation: str) -> None:
        super().__init__()
        steps = torch.linspace(math.log(_SLOWEST), math.log(_FASTEST), dim // 2)
        self.register_buffer("frequencies", 2 * math.pi * steps.exp(), persistent=False)
        self.out_features = _EXPANSION * dim
        self.from_time = nn.Linear(1 + dim, self.out_features)
        given = shapes.conditions is not None and len(shapes.conditions) < len(shapes.target)
        self.from_conditions = nn.Linear(shapes.conditions[-1], self.out_features) if given else None  # type: ignore[index]
        self.out = nn.Linear(self.out_features, self.out_features)
        self.activation = active(activation)

    def forward(self, t: Tensor, conditions: Tensor | None, lead: Size) -> Tensor:
        """Conditions on pixels are left to the `Stem`."""
        angles = t.unsqueeze(-1) * self.frequencies
        h = self.from_time(torch.cat([t.unsqueeze(-1), angles.sin(), angles.cos()], dim=-1))
        if self.from_conditions is not None and conditions is not None:
            h = h + self.from_conditions(conditions)
        h = self.activation(self.out(self.activation(h)))
        if math.prod(h.shape[:-1]) == 1:
            return h.reshape(1, -1)
        return h.expand(*lead, -1).reshape(math.prod(lead), -1)
