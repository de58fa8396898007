"""The module of `mlp`."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from sbicore.shapes import Shapes

from .layers import ResidualLayer, activation
from .mlp import MLP

__all__ = ["MLPModule"]


class MLPModule(nn.Module):
    """`(x (*, D), t (*), conditions (*, C)) -> (*, W)`.

    Separate linear maps of x, t and the conditions are added, which equals one map of their
    concatenation, and lets what is shared by many draws be computed once.
    """

    def __init__(self, config: MLP, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.from_x = nn.Linear(shapes.target[-1], widths[0])
        self.from_t = nn.Linear(1, widths[0], bias=False) if shapes.time else None
        self.from_conditions = nn.Linear(shapes.conditions[-1], widths[0], bias=False) if shapes.conditions else None
        self.activation = activation(config.activation)
        self.layers = nn.ModuleList(ResidualLayer(config, before, width) for before, width in pairwise(widths))
        self.out = nn.Linear(widths[-1], shapes.output) if shapes.output else nn.Identity()
        self.out_features = shapes.output or widths[-1]

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """Leading axes broadcast."""
        h = self.from_x(x)
        if self.from_t is not None and t is not None:
            h = h + self.from_t(t.unsqueeze(-1))
        if self.from_conditions is not None and conditions is not None:
            h = h + self.from_conditions(conditions)
        h = self.activation(h)
        for layer in self.layers:
            h = layer(h)
        return self.out(h)
