"""Blocks of attention: between entries, through inducing points, and from seeds to pool a set."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import SetSummaryConfig
from .layers import FeedForward, gate, norm

__all__ = ["AttentionBlock", "Gates", "InducedSetAttention", "PoolingByAttention", "SetAttention"]


class Gates(NamedTuple):
    """Which parts of a block enter by a factor that starts at 0."""

    attention: bool
    ffn: bool


class Attention(nn.Module):
    """Attention of several heads: `(query (B or 1, Q, width), context (B, N, C), mask (B, N)) -> (B, Q, width)`.

    Keys that the mask leaves out get no weight; each set keeps at least one.
    """

    def __init__(self, config: SetSummaryConfig, width: int, width_context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = config.dropout
        self.to_query = nn.Linear(width, width, bias=config.use_bias)
        self.to_key_value = nn.Linear(width_context, 2 * width, bias=config.use_bias)
        self.out = nn.Linear(width, width, bias=config.use_bias)

    def forward(self, query: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """A query of one row is shared by all sets."""
        key, value = self.to_key_value(context).chunk(2, dim=-1)
        q = self.to_query(query).expand(len(key), -1, -1)
        q, k, v = (part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (q, key, value))
        keys = None if mask is None else mask[:, None, None, :]
        dropout = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=keys, dropout_p=dropout)
        return self.out(seen.transpose(1, 2).flatten(-2))


class AttentionBlock(nn.Module):
    """MAB of arXiv:1810.00825, eq. 6, with norms before its parts: attention to a context, then a feed-forward map.

    `h = P x`, `h = h + a * attention(norm(h), norm(context))`, `h + b * ffn(norm(h))`; P is the identity
    unless widths differ, a and b start at 0 where gated and are 1 otherwise.
    """

    def __init__(
        self,
        config: SetSummaryConfig,
        width_in: int,
        width_context: int,
        width: int,
        heads: int,
        gates: Gates,
    ) -> None:
        super().__init__()
        self.project = nn.Linear(width_in, width, bias=False) if width_in != width else nn.Identity()
        self.norm = norm(config, width)
        self.norm_context = norm(config, width_context)
        self.attention = Attention(config, width, width_context, heads)
        self.gate = gate(gates.attention)
        self.hidden = FeedForward(config, width, gated=gates.ffn)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None = None) -> Tensor:
        """`x (B or 1, Q, width_in), context (B, N, width_context), mask (B, N) -> (B, Q, width)`."""
        h = self.project(x)
        h = h + self.gate(self.attention(self.norm(h), self.norm_context(context), mask))
        return self.hidden(h)


class SetAttention(nn.Module):
    """SAB: the entries attend to each other. `(h (B, N, width_in), mask (B, N)) -> (B, N, width)`."""

    def __init__(self, config: SetSummaryConfig, gates: Gates, width_in: int, width: int, heads: int) -> None:
        super().__init__()
        self.block = AttentionBlock(config, width_in, width_in, width, heads, gates)

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """Masked entries are seen by none; what they become has no effect."""
        return self.block(h, h, mask)


class InducedSetAttention(nn.Module):
    """ISAB: learnt points attend to the entries, then the entries to them, at a cost of N times their number."""

    def __init__(
        self, config: SetSummaryConfig, gates: Gates, width_in: int, width: int, heads: int, points: int
    ) -> None:
        super().__init__()
        self.points = nn.Parameter(nn.init.orthogonal_(torch.empty(points, width)))
        self.gather = AttentionBlock(config, width, width_in, width, heads, gates)
        self.spread = AttentionBlock(config, width_in, width, width, heads, gates)

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(h (B, N, width_in), mask (B, N)) -> (B, N, width)`."""
        return self.spread(h, self.gather(self.points.unsqueeze(0), h, mask))


class PoolingByAttention(nn.Module):
    """PMA: learnt seeds attend to the entries. `(h (B, N, width), mask (B, N)) -> (B, seeds * width)`."""

    def __init__(self, config: SetSummaryConfig, width: int, heads: int, seeds: int) -> None:
        super().__init__()
        size = config.seed_dim or width
        self.seeds = nn.Parameter(nn.init.orthogonal_(torch.empty(seeds, size)))
        self.hidden = FeedForward(config, width, gated=True)
        self.block = AttentionBlock(config, size, width, width, heads, Gates(attention=False, ffn=True))
        self.out_features = seeds * width

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """The seeds' results side by side."""
        return self.block(self.seeds.unsqueeze(0), self.hidden(h), mask).flatten(-2)
