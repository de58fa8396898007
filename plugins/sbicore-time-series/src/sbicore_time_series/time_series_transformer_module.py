"""The module of `time_series_transformer`."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from sbicore.shapes import Shapes

from .attention import AttentionBlock
from .rows import as_rows
from .time2vec import TimedSeries
from .time_series_transformer import TimeSeriesTransformer

__all__ = ["TimeSeriesTransformerModule"]


class TimeSeriesTransformerModule(nn.Module):
    """`(x (*, N, F), mask (*, N)) -> (*, S)`.

    The learned token comes first in every row and is always there, so that a row without entries attends to it alone.
    In the last block nothing but the token asks, as nothing else is read.
    """

    def __init__(self, config: TimeSeriesTransformer, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        size, features = shapes.target[-2:]
        timed = config.time_embedding is not None
        self.timed = TimedSeries(size, config.time_embed_dim, config.time_axis) if timed else nn.Identity()
        features += (config.time_embed_dim if timed else 0) - (config.time_axis is not None)
        widths = config.embed_dims
        self.embed = nn.Linear(features, widths[0])
        self.token = nn.Parameter(torch.randn(widths[0]))
        settings = zip(pairwise((widths[0], *widths)), config.num_heads, strict=True)
        self.blocks = nn.ModuleList(AttentionBlock(config, before, width, heads) for (before, width), heads in settings)
        self.norm = nn.LayerNorm(widths[-1])
        self.out_features = shapes.output or config.summary_dim
        self.out = nn.Linear(widths[-1], self.out_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Nothing attends to masked entries."""
        lead = x.shape[:-2]
        x, mask = as_rows(x, mask)
        h = self.embed(self.timed(x))
        h = torch.cat([self.token.expand(len(h), 1, -1), h], dim=1)
        there = None if mask is None else pad(mask, (1, 0), value=True)
        *blocks, last = self.blocks
        for block in blocks:
            h = block(h, h, there)
        token = last(h[:, :1], h, there)
        return self.out(self.norm(token)).reshape(*lead, self.out_features)
