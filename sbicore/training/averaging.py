"""Exponential moving averages of weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """`average <- d * average + (1 - d) * weights`, with d rising from 1/10 to `decay`.

    The rise, d = min(decay, (1 + n) / (10 + n)) after n steps, keeps short fits from
    remembering their initial weights.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.weights = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self.average = [weight.detach().clone() for weight in self.weights]
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, list(self.weights), 1 - decay)
        self.steps += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The averages in the place of the weights."""
        kept = [weight.detach().clone() for weight in self.weights]
        self.load(self.average)
        try:
            yield
        finally:
            self.load(kept)

    @torch.no_grad()
    def load(self, values: list[Tensor]) -> None:
        """Put values into the weights."""
        torch._foreach_copy_(list(self.weights), values)

    def snapshot(self) -> list[Tensor]:
        """A copy of the averages."""
        return [value.clone() for value in self.average]
