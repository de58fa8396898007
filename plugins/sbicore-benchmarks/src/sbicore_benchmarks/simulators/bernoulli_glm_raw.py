"""Bernoulli GLM, the spike train itself."""

from __future__ import annotations

import numpy as np

from ._priors import Array
from .bernoulli_glm import DESIGN, STEPS, BernoulliGLMSimulator


class BernoulliGLMRawSimulator(BernoulliGLMSimulator):
    """Prior, simulator and likelihood of bernoulli_glm_raw; its posterior is that of bernoulli_glm."""

    name = "bernoulli_glm_raw"
    observable_names = tuple(f"spike_{i}" for i in range(1, STEPS + 1))

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        return self.spikes(parameters, rng)

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        return super()._log_likelihood(parameters, observables @ DESIGN)
