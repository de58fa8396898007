"""Gaussian linear: conjugate. The posterior is normal around x / 2, the evidence around 0; variances 0.05 and 0.2."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from ._base import ExactSimulator
from ._priors import Array, Normal, Prior

SIZE = 10
VARIANCE = 0.1
"""Of the prior and of the noise alike."""


class GaussianLinearSimulator(ExactSimulator):
    """Prior, simulator, likelihood and posterior of gaussian_linear."""

    name = "gaussian_linear"
    parameter_names = tuple(f"theta_{i}" for i in range(1, SIZE + 1))
    observable_names = tuple(f"x_{i}" for i in range(1, SIZE + 1))
    _prior: ClassVar[Prior] = Normal(np.zeros(SIZE), math.sqrt(VARIANCE) * np.eye(SIZE))

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        return parameters + math.sqrt(VARIANCE) * rng.standard_normal(parameters.shape)

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        return _log_normal(observables - parameters, VARIANCE)

    def _log_evidence(self, x: Array) -> float:
        return float(_log_normal(x, 2.0 * VARIANCE))

    def _posterior(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        return 0.5 * x + math.sqrt(0.5 * VARIANCE) * rng.standard_normal((n, SIZE))


def _log_normal(values: Array, variance: float) -> Array:
    log_density: Array = -0.5 * (values**2 / variance + math.log(2.0 * math.pi * variance)).sum(axis=-1)
    return log_density
