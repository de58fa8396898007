"""The attention block of series networks."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

__all__ = ["AttentionBlock", "BlockSettings"]

_ACTIVATIONS = {"gelu": nn.GELU, "silu": nn.SiLU, "relu": nn.ReLU}


class BlockSettings(Protocol):
    """The hyperparameters of a block, as `TimeSeriesTransformer` has them."""

    @property
    def expansion_factor(self) -> float:
        """Width of the hidden layer, in widths of the block."""
        ...

    @property
    def activation(self) -> str:
        """Of the hidden layer."""
        ...

    @property
    def dropout(self) -> float:
        """Probability."""
        ...


class AttentionBlock(nn.Module):
    """`(x (R, M, V), context (R, N, V), mask (R, N)) -> (R, M, W)`.

    `h = P x + A(norm(x), norm(context))`, then `h + hidden(norm(h))`; P is the identity where V = W. Normalised before
    each sublayer (arXiv:2002.04745, fig. 1b). No bias before the attention: one added to all keys has no effect.
    """

    def __init__(self, config: BlockSettings, width_in: int, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width_in)
        self.query = nn.Linear(width_in, width, bias=False)
        self.key_value = nn.Linear(width_in, 2 * width, bias=False)
        self.attended = nn.Linear(width, width)
        self.skip = nn.Linear(width_in, width, bias=False) if width_in != width else nn.Identity()
        hidden = max(1, round(config.expansion_factor * width))
        self.hidden = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            _ACTIVATIONS[config.activation](),
            nn.Linear(hidden, width),
            nn.Dropout(config.dropout),
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
        """Every row of the mask has an entry that is there."""
        normed = self.norm(context)
        query = self._apart(self.query(normed if x is context else self.norm(x)))
        key, value = (self._apart(part) for part in self.key_value(normed).chunk(2, dim=-1))
        there = None if mask is None else mask[:, None, None, :]
        found = scaled_dot_product_attention(query, key, value, attn_mask=there)
        h = self.skip(x) + self.dropout(self.attended(found.transpose(1, 2).flatten(2)))
        return h + self.hidden(h)

    def _apart(self, values: Tensor) -> Tensor:
        """`(R, N, W) -> (R, heads, N, W / heads)`."""
        return values.unflatten(-1, (self.heads, -1)).transpose(1, 2)
