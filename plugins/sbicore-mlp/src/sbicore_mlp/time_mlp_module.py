"""The module of `time_mlp`."""

from __future__ import annotations

from torch import Tensor, nn

from sbicore.shapes import Shapes

from .fourier import FourierFeatures
from .layers import ResidualLayer, activation
from .time_mlp import TimeMLP

__all__ = ["TimeMLPModule"]


class TimeMLPModule(nn.Module):
    """`(x (*, D), t (*), conditions (*, C)) -> (*, W)`.

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
        self.layers = nn.ModuleList(
            ResidualLayer(config, before, width) for before, width in zip((widths[0], *widths), widths, strict=False)
        )
        self.film = None
        if config.conditioning != "concat":
            source = widths[0] if config.conditioning == "film" else features
            self.film = nn.Linear(source, 2 * sum(widths))
            nn.init.zeros_(self.film.weight)
            nn.init.zeros_(self.film.bias)
        self.out = nn.Linear(widths[-1], shapes.output) if shapes.output else nn.Identity()
        self.out_features = shapes.output or widths[-1]

    def forward(self, x: Tensor, t: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Leading axes broadcast."""
        embedded = self.time_embedding(t)
        context = self.from_t(embedded)
        if self.from_conditions is not None and conditions is not None:
            context = context + self.from_conditions(conditions)
        h = self.activation(self.from_x(x) + context)
        if self.film is None:
            for layer in self.layers:
                h = layer(h)
            return self.out(h)
        scale, shift = self.film(self.activation(context) if self.config.conditioning == "film" else embedded).chunk(
            2, dim=-1
        )
        scales = (1 + scale).split(self.config.widths, dim=-1)
        shifts = shift.split(self.config.widths, dim=-1)
        for layer, layer_scale, layer_shift in zip(self.layers, scales, shifts, strict=True):
            h = layer(h, layer_scale, layer_shift)
        return self.out(h)
