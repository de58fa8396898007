"""The module of `diffusion_transformer`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sbicore.shapes import Shapes

from .block import Block, normalize
from .config import DiffusionTransformer
from .modulation import Modulation
from .tokens import VariableTokens

__all__ = ["DiffusionTransformerModule"]


class DiffusionTransformerModule(nn.Module):
    """`(x (*, D), t (*), conditions (*, C)) -> (*, W)`: the targets' tokens side by side, W = D * width.

    Whatever depends on time and conditions alone keeps their leading axes: with `t (1,)` and
    `conditions (R, 1, C)` the modulation, the conditions' own blocks and, under `attention="cross"`,
    their keys and values are computed once for all draws.
    """

    def __init__(self, config: DiffusionTransformer, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        targets, conditions = shapes.target[-1], shapes.conditions[-1] if shapes.conditions else 0
        features = config.value_embedding_dim, config.value_scale
        self.targets = VariableTokens(targets, config.width, *features)
        self.conditions = VariableTokens(conditions, config.width, *features) if conditions else None
        depth = config.condition_depth if conditions else 0
        cross = config.attention == "cross" and conditions > 0
        self.condition_blocks = nn.ModuleList(Block(config, context=False) for _ in range(depth))
        self.blocks = nn.ModuleList(Block(config, context=cross) for _ in range(config.depth))
        self.modulation = Modulation(config, depth + config.depth, conditions if config.conditioning == "film" else 0)
        self.out_features = shapes.output or targets * config.width
        self.out = nn.Linear(targets * config.width, shapes.output) if shapes.output else nn.Identity()

    def forward(self, x: Tensor, t: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Leading axes broadcast."""
        *modulations, last = self.modulation(t, conditions).split(self.modulation.sizes, dim=-3)
        given = [value.shape[:-1] for value in (x, conditions) if value is not None]
        lead = torch.broadcast_shapes(t.shape, *given)
        h = self.targets(x).expand(*lead, -1, -1)
        context = None
        if self.conditions is not None and conditions is not None:
            context = self.conditions(conditions)
            for block in self.condition_blocks:
                context = block(context, modulations.pop(0))
            if self.config.attention == "joint":
                h, context = torch.cat([h, context.expand(*lead, -1, -1)], dim=-2), None
            else:
                context = normalize(context)
        for block, modulation in zip(self.blocks, modulations, strict=True):
            h = block(h, modulation, context)
        shift, scale = last.unbind(-3)
        h = torch.addcmul(shift, normalize(h[..., : x.shape[-1], :]), scale)
        return self.out(h.flatten(-2))
