"""A field whose posterior is known, to test image backbones and what is built on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

__all__ = ["GaussianFieldTask"]


class GaussianFieldTask:
    """A Gaussian random field seen blurred and in noise: the posterior of all pixels together is a known Gaussian.

    The prior has mean 0, variance 1 and the covariance `exp(-distance / length)`. The image is the field, each pixel a
    mean with weights `exp(-distance² / (2 blur²))`, and independent noise added.

    Args:
        size: pixels along each axis, one to three axes.
        length: correlation length, in pixels.
        blur: radius of the blur, in pixels.
        noise: standard deviation of the noise.
    """

    def __init__(
        self, size: Sequence[int] = (8, 8), *, length: float = 3.0, blur: float = 1.0, noise: float = 0.3
    ) -> None:
        self.size, self.noise = tuple(size), noise
        places = np.stack(np.meshgrid(*(np.arange(side) for side in self.size), indexing="ij"), axis=-1)
        flat = places.reshape(-1, len(self.size)).astype(float)
        distance = np.linalg.norm(flat[:, None] - flat, axis=-1)
        weights = np.exp(-0.5 * (distance / blur) ** 2)
        self.blur = weights / weights.sum(1, keepdims=True)
        self.prior = np.exp(-distance / length)
        gain = np.linalg.solve(
            self.blur @ self.prior @ self.blur.T + noise**2 * np.eye(len(flat)), self.blur @ self.prior
        ).T
        self.gain, self.covariance = gain, self.prior - gain @ self.blur @ self.prior
        self._root = np.linalg.cholesky(self.prior)

    @property
    def sd(self) -> np.ndarray:
        """Standard deviation of each pixel given any image: `(*size, 1)`."""
        return np.sqrt(np.diag(self.covariance)).reshape(*self.size, 1)

    def sample(self, n: int, *, seed: int) -> dict[str, np.ndarray]:
        """`{"field": (n, *size, 1), "image": (n, *size, 1)}` in float32."""
        rng = np.random.default_rng(seed)
        field = rng.normal(size=(n, len(self._root))) @ self._root.T
        image = field @ self.blur.T + self.noise * rng.normal(size=field.shape)
        return {"field": self._folded(field).astype(np.float32), "image": self._folded(image).astype(np.float32)}

    def mean(self, image: np.ndarray) -> np.ndarray:
        """Mean of the posterior: `(*, *size, 1) -> (*, *size, 1)`. Its covariance is `covariance`, for any image."""
        return self._folded(self._flat(image) @ self.gain.T)

    def log_prob(self, field: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Log density of the posterior: `(*, *size, 1), (*, *size, 1) -> (*)`."""
        gap = self._flat(field) - self._flat(self.mean(image))
        quadratic = np.einsum("...i,ij,...j->...", gap, np.linalg.inv(self.covariance), gap)
        return -0.5 * (quadratic + np.linalg.slogdet(2 * np.pi * self.covariance)[1])

    def velocity(self, x: np.ndarray, t: float, image: np.ndarray) -> np.ndarray:
        """What a network learns: the mean of `noise - field` given the image and `x = (1 - t) field + t noise`."""
        mean, a = self._flat(self.mean(image)), 1 - t
        spread = a**2 * self.covariance + t**2 * np.eye(len(self.covariance))
        apart = (self._flat(x) - a * mean) @ np.linalg.inv(spread)
        return self._folded(t * apart - mean - a * apart @ self.covariance)

    def _flat(self, values: np.ndarray) -> np.ndarray:
        values = np.asarray(values, float)
        return values.reshape(*values.shape[: values.ndim - len(self.size) - 1], math.prod(self.size))

    def _folded(self, values: np.ndarray) -> np.ndarray:
        return values.reshape(*values.shape[:-1], *self.size, 1)
