"""Distributions of a location, a diagonal scale, and a fixed shape."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from ..randomness import randn, standard_gamma
from ..shapes import Shapes
from ._base import BaseDistribution, sum_event

__all__ = ["NormalModule", "StudentTModule"]


class _LocationScale(BaseDistribution):
    """x = loc + scale z; the scale is kept as its logarithm, so that training leaves it positive."""

    loc: Tensor
    log_scale: Tensor

    def __init__(self, loc: Any, scale: Any, trainable: bool, shapes: Shapes | None, names: Sequence[str]) -> None:
        super().__init__(shapes)
        self.keep("loc", loc, trainable, field=names[0])
        scale = torch.as_tensor(scale, dtype=torch.float64)
        self.keep("log_scale", scale.log(), trainable, field=names[1])

    def place(self, z: Tensor) -> Tensor:
        """Standard draws moved and scaled."""
        return self.loc.to(z) + self.log_scale.to(z).exp() * z

    def radius(self, x: Tensor) -> tuple[Tensor, Tensor, int]:
        """Squared standardised distance `(*)`, sum of the log scales, and the event's size."""
        _, event = self.split(x.shape)
        log_scale = self.log_scale.to(x)
        z = (x - self.loc.to(x)) * (-log_scale).exp()
        return sum_event(z * z, self.rank), sum_event(log_scale.expand(event), self.rank), math.prod(event)


class NormalModule(_LocationScale):
    """Independent normals."""

    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: Generator | Sequence[Generator] | None = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """See `BaseDistribution.sample`."""
        self.split(shape)
        return self.place(randn(shape, generator, self.loc if like is None else like))

    def log_prob(self, x: Tensor) -> Tensor:
        """See `BaseDistribution.log_prob`."""
        squared, log_det, size = self.radius(x)
        return -0.5 * squared - log_det - 0.5 * size * math.log(2 * math.pi)


class StudentTModule(_LocationScale):
    """The multivariate t of diagonal scale: one chi-squared variable for the whole event."""

    def __init__(
        self, df: float, loc: Any, scale: Any, trainable: bool, shapes: Shapes | None, names: Sequence[str]
    ) -> None:
        super().__init__(loc, scale, trainable, shapes, names)
        self.df = df

    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: Generator | Sequence[Generator] | None = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """See `BaseDistribution.sample`."""
        like = self.loc if like is None else like
        batch, _ = self.split(shape)
        z = randn(shape, generator, like)
        gamma = standard_gamma(self.df / 2, batch, generator, like)
        return self.place(z * (self.df / (2 * gamma)).sqrt().reshape((*batch, *[1] * self.rank)))

    def log_prob(self, x: Tensor) -> Tensor:
        """See `BaseDistribution.log_prob`."""
        squared, log_det, size = self.radius(x)
        half = (self.df + size) / 2
        constant = math.lgamma(half) - math.lgamma(self.df / 2) - 0.5 * size * math.log(self.df * math.pi)
        return constant - log_det - half * torch.log1p(squared / self.df)
