"""Attention of the pixels to each other."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from .style import Style

__all__ = ["SelfAttention"]


class SelfAttention(nn.Module):
    """`h (N, W, *space) -> (N, W, *space)`: h, and what its pixels attend to, which starts at zero.

    Queries and keys are normalised in each head, with a learned sharpness (arXiv:2010.04245), so that attention stays
    soft as weights grow.
    """

    def __init__(self, width: int, num_heads: int, style: Style) -> None:
        super().__init__()
        self.heads = num_heads
        self.norm = style.normalisation(width)
        self.from_pixels = nn.Linear(width, 3 * width)
        self.unit = nn.RMSNorm(width // num_heads, elementwise_affine=False)
        self.sharpness = nn.Parameter(torch.ones(num_heads, 1, 1))
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, h: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        tokens = self.norm(h).flatten(2).transpose(1, 2)
        query, key, value = self.from_pixels(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        query = self.unit(query) * self.sharpness.to(query.dtype)
        seen = scaled_dot_product_attention(query, self.unit(key), value)
        return h + self.out(seen.transpose(1, 2).flatten(-2)).transpose(1, 2).reshape(h.shape)
