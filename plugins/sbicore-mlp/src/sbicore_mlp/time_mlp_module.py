"""The module of `time_mlp`."""

from __future__ import annotations

from itertools import pairwise, zip_longest

from torch import Tensor, nn

from sbicore.shapes import Shapes

from .fourier import FourierFeatures
from .layers import ResidualLayer, activation, norm
from .time_mlp import TimeMLP

__all__ = ["TimeMLPModule"]


class TimeMLPModule(nn.Module):
    """`(x (*, D), t (*), conditions (*, C)) -> (*, W)`.

    With residual layers and a norm, what is handed from layer to layer starts as a linear map of the inputs and is
    normalised at the end (arXiv:2002.04745, fig. 1b).

    Whatever depends on time and conditions alone keeps their leading axes, so that a sampler
    which passes `t (1,)` and `conditions (R, 1, C)` pays for it once a step and observation.
    """

    def __init__(self, config: TimeMLP, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        widths = config.widths
        self.time_embedding = FourierFeatures(config.time_embedding_dim, config.fourier_scale)
        features = self.time_embedding.out_features
        self.from_x = nn.Linear(shapes.target[-1], widths[0])
        self.from_t = nn.Linear(features, widths[0], bias=False)
        self.from_conditions = nn.Linear(shapes.conditions[-1], widths[0], bias=False) if shapes.conditions else None
        self.activation = activation(config.activation)
        self.starts_linear = config.residual and config.norm is not None
        layers = [ResidualLayer(config, before, width) for before, width in pairwise((widths[0], *widths))]
        self.layers = nn.ModuleList(layers)
        film = config.conditioning != "concat"
        source = widths[0] if config.conditioning == "film" else features
        sizes = [layer.modulated for layer in layers] if film else []
        self.shifts = nn.ModuleList(_constant(source, size, 0.0) for size in sizes)
        self.scales = nn.ModuleList(_constant(source, size, 1.0) for size in sizes if config.film_use_gamma)
        self.last_norm = norm(config.norm, widths[-1]) if self.starts_linear else nn.Identity()
        self.out = nn.Linear(widths[-1], shapes.output) if shapes.output else nn.Identity()
        self.out_features = shapes.output or widths[-1]

    def forward(self, x: Tensor, t: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Leading axes broadcast."""
        embedded = self.time_embedding(t)
        context = self.from_t(embedded)
        if self.from_conditions is not None and conditions is not None:
            context = context + self.from_conditions(conditions)
        h = self.from_x(x) + context
        if not self.starts_linear:
            h = self.activation(h)
        source = self.activation(context) if self.config.conditioning == "film" else embedded
        for layer, shift, scale in zip_longest(self.layers, self.shifts, self.scales):
            h = layer(h, shift and shift(source), scale and scale(source))
        return self.out(self.last_norm(h))


def _constant(features: int, width: int, value: float) -> nn.Linear:
    """A linear map that starts as a constant."""
    linear = nn.Linear(features, width)
    nn.init.zeros_(linear.weight)
    nn.init.constant_(linear.bias, value)
    return linear
