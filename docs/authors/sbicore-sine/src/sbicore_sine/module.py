"""The module of `sine_mlp`, and the only file that imports torch."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from sbicore.shapes import Shapes

from .config import SineMLP

__all__ = ["SineModule"]


class SineModule(nn.Module):
    """`(x (*, D), t (*), conditions (*, C)) -> (*, W)`; leading axes broadcast."""

    def __init__(self, config: SineMLP, shapes: Shapes) -> None:
        super().__init__()
        first, last = config.widths[0], config.widths[-1]
        self.frequency = config.frequency
        self.from_x = nn.Linear(shapes.target[-1], first)
        self.from_t = nn.Linear(1, first, bias=False) if shapes.time else None
        self.from_conditions = nn.Linear(shapes.conditions[-1], first, bias=False) if shapes.conditions else None
        self.layers = nn.ModuleList(_layer(before, width) for before, width in pairwise(config.widths))
        self.out = nn.Linear(last, shapes.output) if shapes.output else nn.Identity()
        self.out_features = shapes.output or last

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """Separate linear maps, added, equal one map of everything joined together."""
        h = self.from_x(x)
        if self.from_t is not None and t is not None:
            h = h + self.from_t(t.unsqueeze(-1))
        if self.from_conditions is not None and conditions is not None:
            h = h + self.from_conditions(conditions)
        h = (self.frequency * h).sin()
        for layer in self.layers:
            h = layer(h).sin()
        return self.out(h)


def _layer(before: int, width: int) -> nn.Linear:
    """Weights that keep the argument of each sine at variance one (arXiv:2006.09661, section 3.2)."""
    layer = nn.Linear(before, width)
    bound = (6 / before) ** 0.5
    nn.init.uniform_(layer.weight, -bound, bound)
    return layer
