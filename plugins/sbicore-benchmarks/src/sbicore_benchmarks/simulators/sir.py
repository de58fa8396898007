"""SIR: an epidemic, seen through the infected among 1000 people on each of ten days.

In shares of the population, s' = -beta s i and i' = beta s i - gamma i: the susceptible are the prey of the
infected, with rates (0, beta, gamma, beta).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from ._base import TractableSimulator
from ._predator_prey import log_states
from ._priors import Array, LogNormal

DAYS = np.arange(0, 160, 17)
POPULATION = 1e6
TESTED = 1000


class SIRSimulator(TractableSimulator):
    """Prior, simulator and likelihood of sir."""

    name = "sir"
    parameter_names = ("beta", "gamma")
    observable_names = tuple(f"infected_{day}" for day in DAYS)
    _prior = LogNormal(np.log([0.4, 0.125]), np.array([0.5, 0.2]))

    def infected(self, parameters: Any) -> Array:
        """Share of infected on each of the ten days, `(*, 2) -> (*, 10)`."""
        theta = self._parameters(parameters)
        beta, gamma = theta.reshape(-1, 2).T
        rates = np.stack([np.zeros_like(beta), beta, gamma, beta], axis=-1)
        states = log_states(rates, (1.0 - 1.0 / POPULATION, 1.0 / POPULATION), DAYS)
        return np.exp(states[..., 1]).clip(0.0, 1.0).reshape(*theta.shape[:-1], len(DAYS))

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        return rng.binomial(TESTED, self.infected(parameters))

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        share = self.infected(parameters)
        possible = (observables >= 0) & (observables <= TESTED) & (observables == np.floor(observables))
        counts = np.where(possible, observables, 0.0)
        log_choices = math.lgamma(TESTED + 1) - gammaln(counts + 1) - gammaln(TESTED - counts + 1)
        log_probability = log_choices + xlogy(counts, share) + xlog1py(TESTED - counts, -share)
        total: Array = np.where(possible, log_probability, -np.inf).sum(axis=-1)
        return total
