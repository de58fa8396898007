"""Simple likelihood, complex posterior: four pairs with one covariance, by its Cholesky factor ((a, 0), (b, c))."""

from __future__ import annotations

import math

import numpy as np

from ._base import TractableSimulator
from ._priors import Array, Box

PAIRS = 4
LOW, HIGH = -3.0, 3.0
JITTER = 1e-6
"""Added to both variances, so that theta_3 = 0 or theta_4 = 0 has a density."""


class SLCPSimulator(TractableSimulator):
    """Prior, simulator and likelihood of slcp."""

    name = "slcp"
    parameter_names = tuple(f"theta_{i}" for i in range(1, 6))
    observable_names = tuple(f"x_{i}" for i in range(1, 2 * PAIRS + 1))
    _prior = Box(LOW, HIGH, 5)

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        a, b, c = _factor(parameters)
        z = rng.standard_normal((*parameters.shape[:-1], PAIRS, 2))
        first = parameters[..., 0, None] + a * z[..., 0]
        second = parameters[..., 1, None] + b * z[..., 0] + c * z[..., 1]
        return np.stack([first, second], axis=-1).reshape(*z.shape[:-2], 2 * PAIRS)

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        a, b, c = _factor(parameters)
        pairs = observables.reshape(*observables.shape[:-1], PAIRS, 2)
        u = (pairs[..., 0] - parameters[..., 0, None]) / a
        v = (pairs[..., 1] - parameters[..., 1, None] - b * u) / c
        log_pairs = -0.5 * (u**2 + v**2) - np.log(2.0 * math.pi * a * c)
        log_density: Array = log_pairs.sum(axis=-1)
        return log_density


def _factor(parameters: Array) -> tuple[Array, Array, Array]:
    """`(*, 5)` to the three entries `(*, 1)` of the factor."""
    s, t = parameters[..., 2, None] ** 2, parameters[..., 3, None] ** 2
    rho = np.tanh(parameters[..., 4, None])
    a = np.sqrt(s**2 + JITTER)
    determinant = (s * t) ** 2 * (1.0 - rho**2) + JITTER * (s**2 + t**2) + JITTER**2
    return a, rho * s * t / a, np.sqrt(determinant) / a
