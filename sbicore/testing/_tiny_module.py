"""The module of `TinySubnet`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..shapes import Shapes
from .toys import TinySubnet

__all__ = ["TinyModule"]


class TinyModule(nn.Module):
    """`W2 tanh(W1 [x, t, conditions])`."""

    def __init__(self, config: TinySubnet, shapes: Shapes) -> None:
        super().__init__()
        inputs = shapes.target[-1] + int(shapes.time) + (shapes.conditions[-1] if shapes.conditions else 0)
        self.axes = len(shapes.target)
        self.out_features = shapes.output or config.width
        self.layers = nn.Sequential(
            nn.Linear(inputs, config.width), nn.Tanh(), nn.Linear(config.width, self.out_features)
        )

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """`(*, D), (*), (*, C) -> (*, W)`."""
        time = None if t is None else t.reshape(*t.shape, *[1] * self.axes)
        parts = [part for part in (x, time, conditions) if part is not None]
        lead = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return self.layers(torch.cat([part.expand(*lead, -1) for part in parts], dim=-1))
