"""From entries to a summary: what both networks do before and after their layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from sbicore.shapes import Shapes

from .attention import PoolingByAttention
from .config import SetSummaryConfig

__all__ = ["SetSummary"]

_INITIALIZE: dict[str, Callable[[Tensor], Any]] = {
    "orthogonal": nn.init.orthogonal_,
    "glorot_uniform": nn.init.xavier_uniform_,
    "he_normal": nn.init.kaiming_normal_,
}


class SetSummary(nn.Module):
    """`(x (*, N, F), mask (*, N)) -> (*, S)`: a linear map of each entry, layers, pooling, a linear map.

    The last map also reads log(1 + number of entries), which means and attention lose. A set without any entry is one
    entry of zeros to the layers, and of size 0 to the last map.

    Args:
        config: hyperparameters.
        shapes: `target (N, F)`; `output` takes the place of `summary_dim`.
        layers: each `(h (B, N, *), mask (B, N) or None) -> (B, N, *)`; the first reads `width_in` features.
        width_in: width of an entry before the layers.
        pool: `(h, mask) -> (B, pool.out_features)`.
    """

    def __init__(
        self,
        config: SetSummaryConfig,
        shapes: Shapes,
        layers: Iterable[nn.Module],
        width_in: int,
        pool: PoolingByAttention,
    ) -> None:
        super().__init__()
        self.config = config
        self.out_features = shapes.output or config.summary_dim
        self.layers = nn.ModuleList(layers)
        self.pool = pool
        self.out = nn.Linear(pool.out_features + 1, self.out_features)
        for part in self.modules():
            if isinstance(part, nn.Linear):
                _INITIALIZE[config.kernel_initializer](part.weight)
                if part.bias is not None:
                    nn.init.zeros_(part.bias)
        # A column of norm 1: as one weight of many the size would start faint, and be learnt last.
        with torch.no_grad():
            nn.init.normal_(self.out.weight[:, -1], std=self.out_features**-0.5)
        # Its bias starts away from 0: a norm of W x alone would leave no more than the direction of x.
        self.embed = nn.Linear(shapes.target[-1], width_in)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Masked entries are replaced by zeros before anything else."""
        lead = x.shape[:-2]
        h = x.reshape(lead.numel(), *x.shape[-2:])
        there = None if mask is None else mask.expand(x.shape[:-1]).reshape(h.shape[:-1])
        h, there, log_size = _prepared(h, there)
        h = self.embed(h)
        for layer in self.layers:
            h = layer(h, there)
        pooled = self.pool(h, there)
        return self.out(torch.cat([pooled, log_size.to(pooled.dtype)], dim=-1)).reshape(*lead, self.out_features)


def _prepared(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None, Tensor]:
    """`x (B, N, F), mask (B, N) -> x, mask` of at least one entry a set, and `log(1 + size) (B, 1)`."""
    if mask is None:
        log_size = x.new_full((x.shape[0], 1), x.shape[-2]).log1p()
    else:
        log_size = mask.sum(-1, keepdim=True).to(x.dtype).log1p()
        x = x.masked_fill(~mask.unsqueeze(-1), 0.0)
        mask = mask | ~mask.any(-1, keepdim=True)
    if not x.shape[-2]:
        x, mask = functional.pad(x, (0, 0, 0, 1)), None
    return x, mask, log_size
