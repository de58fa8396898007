"""The transformer at the lowest resolution."""

from __future__ import annotations

from sbicore_unet.blocks import Film, SelfAttention, Style
from torch import Tensor, nn

from .base_config import TransformerConfig

__all__ = ["TransformerBlock"]


class TransformerBlock(nn.Module):
    """`h (N, W, *space), embedded (N or 1, E) -> (N, W, *space)`: h, two layers for each pixel, and attention.

    The layers are norm, map, `Film`, activation, dropout, map. Both branches start at zero.
    """

    def __init__(self, config: TransformerConfig, style: Style) -> None:
        super().__init__()
        width = config.transformer_width
        hidden = max(1, round(config.expansion_factor * width))
        self.inner = nn.Sequential(style.normalisation(width), style.convolution(width, hidden, 1))
        self.film = Film(hidden, style)
        self.outer = nn.Sequential(
            style.active(), nn.Dropout(config.transformer_dropout), style.convolution(hidden, width, 1, zero=True)
        )
        self.attention = SelfAttention(width, config.num_heads, style)

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        return self.attention(h + self.outer(self.film(self.inner(h), embedded)))
