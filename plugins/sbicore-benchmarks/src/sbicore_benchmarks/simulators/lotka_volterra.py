"""Lotka-Volterra: prey and predators at ten times, each with log-normal noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._base import TractableSimulator
from ._predator_prey import log_states
from ._priors import Array, LogNormal

TIMES = 2.1 * np.arange(10)
START = (30.0, 1.0)
NOISE = 0.1
LOWEST, HIGHEST = 1e-10, 1e4


class LotkaVolterraSimulator(TractableSimulator):
    """Prior, simulator and likelihood of lotka_volterra."""

    name = "lotka_volterra"
    parameter_names = ("alpha", "beta", "gamma", "delta")
    observable_names = tuple(f"{kind}_{i}" for kind in ("prey", "predators") for i in range(1, len(TIMES) + 1))
    _prior = LogNormal(np.array([-0.125, -3.0, -0.125, -3.0]), np.full(4, 0.5))

    def log_populations(self, parameters: Any) -> Array:
        """Logarithms of ten numbers of prey, then of ten of predators, `(*, 4) -> (*, 20)`."""
        theta = self._parameters(parameters)
        states = log_states(theta.reshape(-1, 4), START, TIMES).swapaxes(-1, -2)
        clipped = states.clip(math.log(LOWEST), math.log(HIGHEST))
        return clipped.reshape(*theta.shape[:-1], 2 * len(TIMES))

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        means = self.log_populations(parameters)
        return np.exp(means + NOISE * rng.standard_normal(means.shape))

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        positive = observables > 0.0
        logs = np.log(np.where(positive, observables, 1.0))
        score = (logs - self.log_populations(parameters)) / NOISE
        log_densities = -0.5 * score**2 - logs - math.log(math.sqrt(2.0 * math.pi) * NOISE)
        log_density: Array = np.where(positive, log_densities, -np.inf).sum(axis=-1)
        return log_density
