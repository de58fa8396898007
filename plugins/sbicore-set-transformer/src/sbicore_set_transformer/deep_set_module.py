"""The module of `deep_set`."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from sbicore.shapes import Shapes

from .attention import PoolingByAttention
from .deep_set import DeepSet
from .layers import norm
from .pooling import POOLINGS
from .summary import SetSummary

__all__ = ["DeepSetModule"]

_ACTIVATIONS = {"silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh, "mish": nn.Mish}


class DeepSetModule(SetSummary):
    """`(x (*, N, F), mask (*, N)) -> (*, S)` by equivariant layers and pooling by attention."""

    def __init__(self, config: DeepSet, shapes: Shapes) -> None:
        layers = [EquivariantLayer(config) for _ in range(config.depth)]
        pool = PoolingByAttention(config, config.embed_dim, config.num_heads, config.num_seeds)
        super().__init__(config, shapes, layers, config.embed_dim, pool)


class EquivariantLayer(nn.Module):
    """`h + mlp(norm(h + invariant(norm(h))))`: each entry sees itself and a vector of the set (arXiv:1703.06114, §2.3).

    The vector is added, which equals a linear map of both side by side, and is computed once a set.
    """

    def __init__(self, config: DeepSet) -> None:
        super().__init__()
        self.norm = norm(config, config.embed_dim)
        self.invariant = Invariant(config)
        self.norm_joint = norm(config, config.embed_dim)
        self.mlp = _perceptron(config)

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(h (B, N, width), mask (B, N)) -> (B, N, width)`."""
        seen = h + self.invariant(self.norm(h), mask).unsqueeze(-2)
        return h + self.mlp(self.norm_joint(seen))


class Invariant(nn.Module):
    """`(h (B, N, width), mask (B, N)) -> (B, width)`: a perceptron of each entry, pooling, another perceptron."""

    def __init__(self, config: DeepSet) -> None:
        super().__init__()
        self.of_entries = _perceptron(config)
        by_attention = config.inner_pooling == "attention"
        self.pool = (
            PoolingByAttention(config, config.embed_dim, config.num_heads, seeds=1)
            if by_attention
            else POOLINGS[config.inner_pooling]
        )
        self.norm = norm(config, config.embed_dim)
        self.of_set = _perceptron(config)

    def forward(self, h: Tensor, mask: Tensor | None = None) -> Tensor:
        """The order of the entries has no effect."""
        return self.of_set(self.norm(self.pool(self.of_entries(h), mask)))


class ResidualLayer(nn.Module):
    """`skip(x) + dropout(act(W x))`; the skip is projected where widths differ."""

    def __init__(self, config: DeepSet, width_in: int, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width_in, width)
        self.activation = _ACTIVATIONS[config.activation]()
        self.dropout = nn.Dropout(config.dropout)
        self.skip = nn.Linear(width_in, width, bias=False) if width_in != width else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """`(*, width_in) -> (*, width)`."""
        return self.skip(x) + self.dropout(self.activation(self.linear(x)))


def _perceptron(config: DeepSet) -> nn.Sequential:
    """`(*, embed_dim) -> (*, embed_dim)` by hidden layers of `mlp_widths`."""
    widths = (config.embed_dim, *config.mlp_widths, config.embed_dim)
    return nn.Sequential(*(ResidualLayer(config, before, width) for before, width in pairwise(widths)))
