"""The module of a mixture of diagonal normals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ..randomness import rand, randn
from ..shapes import Shapes
from ._base import BaseDistribution, sum_event

if TYPE_CHECKING:
    from .mixture import Mixture

__all__ = ["MixtureModule", "spread"]

REACH = 2.0


class MixtureModule(BaseDistribution):
    """Weights as logits, scales as logarithms; all three are trained or none."""

    logits: Tensor
    means: Tensor
    log_scales: Tensor

    def __init__(self, config: Mixture, shapes: Shapes | None) -> None:
        super().__init__(shapes)
        count = config.components
        weights = torch.as_tensor(config.weights or (1.0,) * count, dtype=torch.float64)
        scales = torch.as_tensor(config.scales, dtype=torch.float64)
        means = config.means
        if means is None and self.event is not None:
            means = spread(count, math.prod(self.event)).reshape(count, *self.event)
        self.components = count
        self.spread_out = means is None
        logits = (weights / weights.sum()).log().to(torch.get_default_dtype())
        if config.trainable:
            self.logits = torch.nn.Parameter(logits)
        else:
            self.register_buffer("logits", logits, persistent=False)
        self.keep("means", 0.0 if means is None else means, config.trainable, lead=(count,), field="means")
        self.keep("log_scales", scales.log(), config.trainable, lead=(count,), field="scales")

    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: Generator | Sequence[Generator] | None = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """See `BaseDistribution.sample`; the choice of a component passes no gradient to the weights."""
        batch, event = self.split(shape)
        z = randn(shape, generator, self.means if like is None else like)
        u = rand(batch, generator, z)
        edges = self.logits.detach().to(z).softmax(0).cumsum(0)[:-1]
        chosen = torch.searchsorted(edges, u.contiguous(), right=True)
        means, log_scales = self._places(z, event)
        return means[chosen] + log_scales[chosen].exp() * z

    def log_prob(self, x: Tensor) -> Tensor:
        """See `BaseDistribution.log_prob`."""
        _, event = self.split(x.shape)
        means, log_scales = self._places(x, event)
        z = (x.unsqueeze(-self.rank - 1) - means) * (-log_scales).exp()
        each = -0.5 * sum_event(z * z, self.rank) - sum_event(log_scales, self.rank)
        each = each - 0.5 * math.prod(event) * math.log(2 * math.pi)
        return torch.logsumexp(self.logits.to(x).log_softmax(0) + each, -1)

    def _places(self, like: Tensor, event: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """Means and log scales, `(K, *event)`."""
        means = spread(self.components, math.prod(event)) if self.spread_out else self.means
        size = (self.components, *event)
        return means.to(like).expand(size), self.log_scales.to(like).expand(size)


def spread(count: int, size: int) -> Tensor:
    """`(count, size)` points in [-2, 2], a rank-1 lattice: each coordinate holds the same even values.

    Coordinate j of point k is value number `k m_j mod count`, with the m_j the numbers coprime to
    `count`, in turn.
    """
    values = torch.linspace(-REACH, REACH, count) if count > 1 else torch.zeros(1)
    coprime = torch.tensor([m for m in range(1, count + 1) if math.gcd(m, count) == 1])
    multipliers = coprime[torch.arange(size) % len(coprime)]
    return values[torch.arange(count)[:, None] * multipliers % count]
