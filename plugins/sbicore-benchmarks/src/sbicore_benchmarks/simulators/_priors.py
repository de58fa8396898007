"""The priors of the benchmark tasks: uniform in a box, normal, log-normal. `*` stands for any leading axes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Prior(ABC):
    """A distribution of vectors."""

    bounds: tuple[Any, Any] | None = None
    """`(low, high)` of the parameters, None for an open side; None where there are no bounds at all."""

    @abstractmethod
    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws, `(n, D)`, float64."""

    @abstractmethod
    def log_prob(self, parameters: Array) -> Array:
        """Log density, `(*, D) -> (*)`; minus infinity outside the support."""


class Box(Prior):
    """Uniform in `[low, high]^size`."""

    def __init__(self, low: float, high: float, size: int) -> None:
        self.low, self.high, self.size = low, high, size
        self.bounds = ((low,) * size, (high,) * size)
        self.log_density = -size * math.log(high - low)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws, `(n, D)`."""
        return rng.uniform(self.low, self.high, (n, self.size))

    def log_prob(self, parameters: Array) -> Array:
        """Log density, `(*, D) -> (*)`."""
        inside = ((parameters >= self.low) & (parameters <= self.high)).all(axis=-1)
        return np.where(inside, self.log_density, -np.inf)


class Normal(Prior):
    """`mean + factor z` with standard normal z; `mean (D,)`, `factor (D, D)` lower triangular."""

    def __init__(self, mean: Array, factor: Array) -> None:
        self.mean, self.factor = mean, factor
        self.whitening = np.linalg.inv(factor)
        self.log_normaliser = np.log(np.diagonal(factor)).sum() + 0.5 * len(mean) * math.log(2.0 * math.pi)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws, `(n, D)`."""
        return self.mean + rng.standard_normal((n, len(self.mean))) @ self.factor.T

    def log_prob(self, parameters: Array) -> Array:
        """Log density, `(*, D) -> (*)`."""
        white = (parameters - self.mean) @ self.whitening.T
        log_density: Array = -0.5 * (white**2).sum(axis=-1) - self.log_normaliser
        return log_density


class LogNormal(Prior):
    """Independent parameters whose logarithms are normal with these means and standard deviations, `(D,)`."""

    def __init__(self, mean: Array, sd: Array) -> None:
        self.log = Normal(mean, np.diag(sd))
        self.bounds = ((0.0,) * len(mean), None)

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws, `(n, D)`."""
        return np.exp(self.log.sample(n, rng))

    def log_prob(self, parameters: Array) -> Array:
        """Log density, `(*, D) -> (*)`."""
        positive = parameters > 0.0
        logs = np.log(np.where(positive, parameters, 1.0))
        return np.where(positive.all(axis=-1), self.log.log_prob(logs) - logs.sum(axis=-1), -np.inf)
