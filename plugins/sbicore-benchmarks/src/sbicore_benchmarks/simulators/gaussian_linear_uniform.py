"""Gaussian linear with a uniform prior: the posterior is normal around x within the box, each axis by itself."""

from __future__ import annotations

import math

import numpy as np

from ._intervals import mass, restricted
from ._priors import Array, Box
from .gaussian_linear import SIZE, VARIANCE, GaussianLinearSimulator

LOW, HIGH = -1.0, 1.0
SD = math.sqrt(VARIANCE)


class GaussianLinearUniformSimulator(GaussianLinearSimulator):
    """Prior, simulator, likelihood and posterior of gaussian_linear_uniform."""

    name = "gaussian_linear_uniform"
    _prior = Box(LOW, HIGH, SIZE)

    def _log_evidence(self, x: Array) -> float:
        with np.errstate(divide="ignore"):
            return float(np.log(mass((LOW - x) / SD, (HIGH - x) / SD) / (HIGH - LOW)).sum())

    def _posterior(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        if not np.isfinite(self._log_evidence(x)):
            raise self._impossible(x)
        return x + SD * restricted((LOW - x) / SD, (HIGH - x) / SD, rng.random((n, SIZE)))
