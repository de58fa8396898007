"""Exponential moving averages of weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from .flat import FlatParameters

__all__ = ["AveragedWeights"]


class AveragedWeights:
    """`average <- d * average + (1 - d) * weights`, with d rising from 1/10 to `decay`.

    The rise, d = min(decay, (1 + n) / (10 + n)) after n steps, keeps short fits from
    remembering their initial weights.
    """

    def __init__(self, weights: FlatParameters, decay: float) -> None:
        self.weights = weights
        self.average = weights.copy()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights in."""
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.average, list(self.weights.vectors), 1 - decay)
        self.steps += 1

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The averages in the place of the weights."""
        kept = self.weights.copy()
        self.weights.load(self.average)
        try:
            yield
        finally:
            self.weights.load(kept)

    def snapshot(self) -> list[Tensor]:
        """A copy of the averages."""
        return [value.clone() for value in self.average]
