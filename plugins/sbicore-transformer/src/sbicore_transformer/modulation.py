"""What time and conditions say to every layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .block import ACTIVATIONS, Block
from .config import DiffusionTransformer
from .tokens import FourierFeatures

__all__ = ["Modulation"]


class Modulation(nn.Module):
    """`t (*), conditions (*, C) -> (*, 6 * blocks + 2, 1, width)`, leading axes broadcast.

    Shift, scale and gate of each part of each block, then shift and scale of the output. Scales
    start at 1, shifts and gates at 0, so that a block starts as the identity (adaLN-Zero, arXiv:2212.09748).

    Args:
        config: width, time_embedding_dim, fourier_scale and activation.
        blocks: number of blocks.
        conditions: number of conditions that have a say.
    """

    def __init__(self, config: DiffusionTransformer, blocks: int, conditions: int) -> None:
        super().__init__()
        width = config.width
        self.activation = ACTIVATIONS[config.activation]()
        self.features = FourierFeatures(config.time_embedding_dim, config.fourier_scale)
        self.from_time = self._embedding(self.features.out_features, width)
        self.from_conditions = self._embedding(conditions, width) if conditions else None
        self.sizes = [Block.MODULATIONS] * blocks + [2]
        start = torch.zeros(sum(self.sizes), width)
        start[1::3] = 1.0
        self.linear = nn.Linear(width, start.numel())
        nn.init.zeros_(self.linear.weight)
        with torch.no_grad():
            self.linear.bias.copy_(start.flatten())

    def _embedding(self, features: int, width: int) -> nn.Sequential:
        return nn.Sequential(nn.Linear(features, 2 * width), self.activation, nn.Linear(2 * width, width))

    def forward(self, t: Tensor, conditions: Tensor | None = None) -> Tensor:
        """One modulation for each pair of a time and a set of conditions."""
        embedded = self.from_time(self.features(t))
        if self.from_conditions is not None and conditions is not None:
            embedded = embedded + self.from_conditions(conditions)
        return self.linear(self.activation(embedded)).unflatten(-1, (sum(self.sizes), 1, -1))
