"""A block of a stage, and its attention."""

from __future__ import annotations

from torch import Tensor, nn

from .attention import SelfAttention
from .style import Style

__all__ = ["Stage"]


class Stage(nn.Module):
    """`h (N, V, *space), embedded (N or 1, E) -> (N, W, *space)`: a block, and attention where its stage attends.

    Args:
        block: what comes first; it may take more than these two.
        width: W.
        heads: of the attention; 0 for none.
        style: of the network.
    """

    def __init__(self, block: nn.Module, width: int, heads: int, style: Style) -> None:
        super().__init__()
        self.block = block
        self.attention = SelfAttention(width, heads, style) if heads else nn.Identity()

    def forward(self, h: Tensor, embedded: Tensor, *more: Tensor) -> Tensor:
        """As many pixels as before."""
        return self.attention(self.block(h, embedded, *more))
