"""Bernoulli GLM: a spike train of 100 steps, by its ten sufficient statistics.

The design has a column of ones and nine lagged copies of one white-noise stimulus, which the published seed gives.
The stimulus is continuous, so different trains have different statistics, and the probability of the statistics
is that of their train.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import expit

from ._base import TractableSimulator
from ._priors import Array, Normal

SEED = 42
STEPS = 100
FILTER = 9


def _design() -> Array:
    """`(100, 10)`."""
    stimulus = np.random.RandomState(SEED).randn(STEPS).astype(np.float32)
    lagged = [np.concatenate([np.zeros(lag), stimulus[: STEPS - lag]]) for lag in range(FILTER)]
    return np.stack([np.ones(STEPS), *lagged], axis=-1)


def _smooth() -> Normal:
    """Variance 2 for the offset; for the filter precision F'F, F being second differences and a growing diagonal."""
    differences = np.eye(FILTER) - np.eye(FILTER, k=-1)
    roughness = differences @ differences + np.diag(np.sqrt(np.arange(FILTER) / FILTER))
    factor = np.zeros((FILTER + 1, FILTER + 1))
    factor[0, 0] = math.sqrt(2.0)
    factor[1:, 1:] = np.linalg.cholesky(np.linalg.inv(roughness.T @ roughness))
    return Normal(np.zeros(FILTER + 1), factor)


DESIGN = _design()


class BernoulliGLMSimulator(TractableSimulator):
    """Prior, simulator and likelihood of bernoulli_glm."""

    name = "bernoulli_glm"
    parameter_names = ("offset", *(f"filter_{i}" for i in range(1, FILTER + 1)))
    observable_names = ("spikes", *(f"correlation_{i}" for i in range(FILTER)))
    _prior = _smooth()

    def spikes(self, parameters: Any, rng: np.random.Generator) -> Array:
        """Spike trains of zeros and ones, `(*, 10) -> (*, 100)`."""
        rate = expit(self._parameters(parameters) @ DESIGN.T)
        return (rng.uniform(size=rate.shape) < rate).astype(np.float64)

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        statistics: Array = self.spikes(parameters, rng) @ DESIGN
        return statistics

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        log_partition = np.logaddexp(0.0, parameters @ DESIGN.T).sum(axis=-1)
        log_probability: Array = (parameters * observables).sum(axis=-1) - log_partition
        return log_probability
