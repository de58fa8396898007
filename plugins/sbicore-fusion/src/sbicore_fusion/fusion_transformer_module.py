"""The module of `fusion_transformer`."""

from __future__ import annotations

from itertools import pairwise

import torch
from sbicore_time_series.attention import AttentionBlock
from sbicore_time_series.recurrence import EndStates
from sbicore_time_series.rows import as_rows
from torch import Tensor, nn
from torch.nn.functional import pad

from sbicore.shapes import Shapes

from .fusion_transformer import FusionTransformer

__all__ = ["FusionTransformerModule"]


class FusionTransformerModule(nn.Module):
    """`(x (*, N, F), mask (*, N)) -> (*, S)`.

    All blocks but the last are attention among the entries. In the last one the template, a linear map of the end
    states of the recurrent network, asks the entries and itself, so that a row without entries has something to ask.
    The order of the entries enters by the template alone.
    """

    def __init__(self, config: FusionTransformer, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        features, widths = shapes.target[-1], config.embed_dims
        self.embed = nn.Linear(features, widths[0])
        self.states = EndStates(features, config.template_dim, config.template_type, config.bidirectional)
        settings = zip(pairwise((widths[0], *widths)), config.num_heads, strict=True)
        self.blocks = nn.ModuleList(AttentionBlock(config, before, width, heads) for (before, width), heads in settings)
        self.template = nn.Sequential(
            nn.Dropout(config.dropout), nn.Linear(self.states.out_features, (widths[0], *widths)[-2])
        )
        self.norm = nn.LayerNorm(widths[-1])
        self.out_features = shapes.output or config.summary_dim
        self.out = nn.Linear(widths[-1], self.out_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Nothing attends to masked entries, and the recurrent network passes them over."""
        lead = x.shape[:-2]
        x, mask = as_rows(x, mask)
        template = self.template(self.states(x, mask)).unsqueeze(1)
        *blocks, last = self.blocks
        h, there = self.embed(x), mask if mask is None else _with_an_entry(mask)
        for block in blocks:
            h = block(h, h, there)
        asked = None if mask is None else pad(mask, (1, 0), value=True)
        found = last(template, torch.cat([template, h], dim=1), asked)
        return self.out(self.norm(found)).reshape(*lead, self.out_features)


def _with_an_entry(mask: Tensor) -> Tensor:
    """`(R, N)`: rows without entries attend to all of their zeros; what comes of it is not asked."""
    return mask | ~mask.any(dim=1, keepdim=True)
