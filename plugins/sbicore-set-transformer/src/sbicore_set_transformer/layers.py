"""Norms, gates and feed-forward maps."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .config import SetSummaryConfig

__all__ = ["FeedForward", "gate", "norm"]

_GLU: dict[str, Callable[[Tensor], Tensor]] = {
    "swiglu": functional.silu,
    "geglu": functional.gelu,
    "reglu": functional.relu,
    "glu": torch.sigmoid,
    "bilinear": torch.positive,
}
_EPSILON = 1e-6


def norm(config: SetSummaryConfig, width: int) -> nn.Module:
    """RMSNorm of the last axis, or the identity."""
    return nn.RMSNorm(width, eps=_EPSILON) if config.layer_norm else nn.Identity()


class Gate(nn.Module):
    """Multiplies by a trainable factor that starts at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """`(*) -> (*)`."""
        return self.factor * x


def gate(gated: bool) -> nn.Module:
    """A factor that starts at 0, or none."""
    return Gate() if gated else nn.Identity()


class FeedForward(nn.Module):
    """`x + s * dropout(V (act(a) * b))` with `(a, b) = W norm(x)`: a gated linear unit (arXiv:2002.05202, eq. 6).

    The hidden width is two thirds of `expansion_factor * width`, rounded up to a multiple of 8: with its gate as many
    weights as without. The factor s starts at 0 where `gated` and is 1 otherwise.
    """

    def __init__(self, config: SetSummaryConfig, width: int, *, gated: bool) -> None:
        super().__init__()
        hidden = 8 * math.ceil(config.expansion_factor * width / 12)
        self.norm = norm(config, width)
        self.activation = _GLU[config.glu_variant]
        self.linear = nn.Linear(width, 2 * hidden, bias=config.use_bias)
        self.out = nn.Linear(hidden, width, bias=config.use_bias)
        self.dropout = nn.Dropout(config.dropout)
        self.gate = gate(gated)

    def forward(self, x: Tensor) -> Tensor:
        """`(*, width) -> (*, width)`."""
        a, b = self.linear(self.norm(x)).chunk(2, dim=-1)
        return x + self.gate(self.dropout(self.out(self.activation(a) * b)))
