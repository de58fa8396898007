"""The module of `set_transformer`."""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from sbicore.shapes import Shapes

from .attention import Gates, InducedSetAttention, PoolingByAttention, SetAttention
from .set_transformer import SetTransformer
from .summary import SetSummary

__all__ = ["SetTransformerModule"]


class SetTransformerModule(SetSummary):
    """`(x (*, N, F), mask (*, N)) -> (*, S)` by SAB or ISAB blocks and PMA (arXiv:1810.00825, §3)."""

    def __init__(self, config: SetTransformer, shapes: Shapes) -> None:
        dims, points = config.embed_dims, config.num_inducing_points
        gates = Gates(config.gate_attention, config.gate_ffn)
        sizes = [(*pair, heads) for pair, heads in zip(pairwise((dims[0], *dims)), config.num_heads, strict=True)]
        if points is None:
            layers: list[nn.Module] = [SetAttention(config, gates, *size) for size in sizes]
        else:
            layers = [InducedSetAttention(config, gates, *size, points) for size in sizes]
        pool = PoolingByAttention(config, dims[-1], config.num_heads[-1], config.num_seeds)
        super().__init__(config, shapes, layers, dims[0], pool)
