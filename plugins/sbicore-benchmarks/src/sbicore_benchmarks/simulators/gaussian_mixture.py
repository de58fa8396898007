"""Gaussian mixture: the posterior has the same two components around x, within the box.

The box leaves to each component the share of it that lies inside, and so changes their weights.
"""

from __future__ import annotations

import math

import numpy as np

from ._base import ExactSimulator
from ._intervals import mass, restricted
from ._priors import Array, Box

LOW, HIGH = -10.0, 10.0
SCALES = np.array([1.0, 0.1])
"""Standard deviations of the wide and of the narrow component; each has half of the weight."""


class GaussianMixtureSimulator(ExactSimulator):
    """Prior, simulator, likelihood and posterior of gaussian_mixture."""

    name = "gaussian_mixture"
    parameter_names = ("theta_1", "theta_2")
    observable_names = ("x_1", "x_2")
    _prior = Box(LOW, HIGH, 2)

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        narrow = rng.random(parameters.shape[:-1]) >= 0.5
        return parameters + SCALES[narrow.astype(int)][..., None] * rng.standard_normal(parameters.shape)

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        square = ((observables - parameters) ** 2).sum(axis=-1)[..., None]
        log_components = -0.5 * square / SCALES**2 - np.log(2.0 * math.pi * SCALES**2)
        return np.logaddexp(log_components[..., 0], log_components[..., 1]) + math.log(0.5)

    def _log_evidence(self, x: Array) -> float:
        inside = self._inside(x).sum()
        return math.log(inside) - 2.0 * math.log(HIGH - LOW) if inside > 0.0 else -math.inf

    def _posterior(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        inside = self._inside(x)
        if not inside.sum() > 0.0:
            raise self._impossible(x)
        sd = SCALES[(rng.random(n) >= inside[0] / inside.sum()).astype(int)][:, None]
        return x + sd * restricted((LOW - x) / sd, (HIGH - x) / sd, rng.random((n, 2)))

    def _inside(self, x: Array) -> Array:
        """`(2,)`: half of each component's probability of the box."""
        sd = SCALES[:, None]
        inside: Array = 0.5 * mass((LOW - x) / sd, (HIGH - x) / sd).prod(axis=-1)
        return inside
