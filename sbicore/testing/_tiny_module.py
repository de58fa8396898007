"""The module of `tiny`."""

from __future__ import annotations

from torch import Tensor, nn

from ..shapes import Shapes
from ._tiny import TinySubnet

__all__ = ["TinyModule"]


class TinyModule(nn.Module):
    """`W2 tanh(Wx x + Wt t + Wc c)`."""

    def __init__(self, config: TinySubnet, shapes: Shapes) -> None:
        super().__init__()
        self.out_features = shapes.output or config.width
        self.from_x = nn.Linear(shapes.target[-1], config.width)
        self.from_t = nn.Linear(1, config.width, bias=False) if shapes.time else None
        self.from_conditions = nn.Linear(shapes.conditions[-1], config.width, bias=False) if shapes.conditions else None
        self.out = nn.Linear(config.width, self.out_features)

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """`(*, D), (*), (*, C) -> (*, W)`."""
        h = self.from_x(x)
        if self.from_t is not None and t is not None:
            h = h + self.from_t(t.unsqueeze(-1))
        if self.from_conditions is not None and conditions is not None:
            h = h + self.from_conditions(conditions)
        return self.out(h.tanh())
