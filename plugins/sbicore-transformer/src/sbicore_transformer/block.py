"""The block of the transformer, and its attention."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import DiffusionTransformer

__all__ = ["ACTIVATIONS", "Block", "attend", "attend_shared", "normalize"]

ACTIVATIONS = {"silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU}


class Block(nn.Module):
    """Attention, then a hidden layer, each on normalised tokens and with shift, scale and gate from outside.

    `h + gate * W (attend(h', h') + attend(h', context))`, with `h' = scale * norm(h) + shift`: one
    query, and keys and values of two sources (decoupled cross-attention, arXiv:2308.06721), so that
    those of a context that many draws share are computed and kept once.

    Args:
        config: width, num_heads, expansion_factor, activation and dropout.
        context: whether there is one.
    """

    MODULATIONS = 6

    def __init__(self, config: DiffusionTransformer, *, context: bool) -> None:
        super().__init__()
        width, hidden = config.width, max(1, round(config.expansion_factor * config.width))
        self.heads = config.num_heads
        self.from_tokens = nn.Linear(width, 3 * width)
        self.from_context = nn.Linear(width, 2 * width, bias=False) if context else None
        self.out = nn.Linear(width, width)
        self.hidden = nn.Sequential(
            nn.Linear(width, hidden), ACTIVATIONS[config.activation](), nn.Linear(hidden, width)
        )
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()

    def forward(self, h: Tensor, modulation: Tensor, context: Tensor | None = None) -> Tensor:
        """`h (*, N, width), modulation (*, 6, 1, width), context (*, M, width) -> (*, N, width)`.

        Leading axes of the modulation and of the context broadcast against those of h.
        """
        shift, scale, gate, hidden_shift, hidden_scale, hidden_gate = modulation.unbind(-3)
        query, key, value = self.from_tokens(torch.addcmul(shift, normalize(h), scale)).chunk(3, -1)
        seen = attend(query, key, value, self.heads)
        if self.from_context is not None and context is not None:
            key, value = self.from_context(context).chunk(2, -1)
            seen = seen + attend_shared(query, key, value, self.heads)
        h = torch.addcmul(h, gate, self.dropout(self.out(seen)))
        change = self.hidden(torch.addcmul(hidden_shift, normalize(h), hidden_scale))
        return torch.addcmul(h, hidden_gate, self.dropout(change))


def normalize(h: Tensor) -> Tensor:
    """Mean 0 and variance 1 over the last axis."""
    return functional.layer_norm(h, h.shape[-1:])


def attend(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """Attention of several heads: `(*, N, width), (*, M, width), (*, M, width) -> (*, N, width)`.

    The leading axes become one, as fused kernels want.
    """
    rows, size = query.shape[:-2].numel(), query.shape[-1] // heads
    q, k, v = (x.reshape(rows, x.shape[-2], heads, size).transpose(1, 2) for x in (query, key, value))
    return functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(query.shape)


def attend_shared(query: Tensor, key: Tensor, value: Tensor, heads: int) -> Tensor:
    """The same where leading axes of key and value broadcast against those of the query.

    Queries of the last axes that share them stand in line before one copy of the keys:
    `(R, S, N, width)` becomes `(R, S * N, width)` for keys `(R, 1, M, width)`.
    """
    lead = query.shape[:-2]
    sizes = (1,) * (len(lead) - key.ndim + 2) + tuple(key.shape[:-2])
    own = max([0, *(axis + 1 for axis, size in enumerate(sizes) if size != 1)])
    key, value = (x.reshape(*sizes[:own], *x.shape[-2:]).expand(*lead[:own], *x.shape[-2:]) for x in (key, value))
    return attend(query.flatten(own, -2), key, value, heads).reshape(query.shape)
