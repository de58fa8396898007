"""Components and problems small enough to test others with, so that no other plugin is needed."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..config import SubnetConfig, frozen
from ..fields import integer
from ..references import Reference

__all__ = ["GaussianTask", "TinySubnet"]


@frozen(kw_only=True)
class TinySubnet(SubnetConfig):
    """One hidden layer on x, the time and the conditions."""

    name: ClassVar[str] = "tiny"
    uses_time: ClassVar[str] = "optional"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Rumelhart, David E. and Hinton, Geoffrey E. and Williams, Ronald J.",
            title="Learning representations by back-propagating errors",
            year=1986,
            venue="Nature",
            doi="10.1038/323533a0",
        ),
    )

    width: int = integer(16, ge=1, doc="Width of the layer.")

    def build(self, shapes: Any) -> Any:
        """The module."""
        from ._tiny_module import TinyModule

        return TinyModule(self, shapes)


class GaussianTask:
    """Parameters `theta ~ N(0, I)` and data `x = A theta + noise`: the posterior is a known Gaussian.

    A is lower triangular with ones, so that parameters are correlated given the data.

    Args:
        size: number of parameters, and of data.
        noise: standard deviation of the noise in each number of x.
    """

    def __init__(self, size: int = 2, noise: float = 0.5) -> None:
        self.size, self.noise = size, noise
        self.matrix = np.tril(np.ones((size, size)))
        precision = np.eye(size) + self.matrix.T @ self.matrix / noise**2
        self.covariance = np.linalg.inv(precision)

    def sample(self, n: int, *, seed: int) -> dict[str, np.ndarray]:
        """`{"theta": (n, size), "x": (n, size)}`."""
        rng = np.random.default_rng(seed)
        theta = rng.normal(size=(n, self.size))
        return {"theta": theta, "x": theta @ self.matrix.T + self.noise * rng.normal(size=(n, self.size))}

    def mean(self, x: np.ndarray) -> np.ndarray:
        """Mean of the posterior: `(*, size) -> (*, size)`. Its covariance is `covariance`, for any x."""
        return np.asarray(x) @ self.matrix @ self.covariance / self.noise**2

    def log_prob(self, theta: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Log density of the posterior: `(*, size), (*, size) -> (*)`."""
        gap = np.asarray(theta) - self.mean(x)
        quadratic = np.einsum("...i,ij,...j->...", gap, np.linalg.inv(self.covariance), gap)
        return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * self.covariance)[1])
