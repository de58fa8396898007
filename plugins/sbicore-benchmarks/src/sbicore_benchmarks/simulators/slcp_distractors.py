"""SLCP with distractors: 92 numbers that say nothing about the parameters, and one fixed permutation of all 100.

The distractors are one draw from a fixed mixture of 20 multivariate Student t distributions with 2 degrees of
freedom in 92 dimensions. Mixture and permutation come from the published seed.
"""

from __future__ import annotations

import numpy as np

from ._priors import Array
from .slcp import PAIRS, SLCPSimulator

SEED = 42
COMPONENTS = 20
DISTRACTORS = 92
FREEDOM = 2.0
SIZE = 2 * PAIRS + DISTRACTORS


def _published() -> tuple[Array, Array, Array]:
    """Locations `(20, 92)` and scale factors `(20, 92, 92)` of the mixture, and the permutation `(100,)`."""
    rng = np.random.RandomState(SEED)
    square = (DISTRACTORS, DISTRACTORS)
    locations = [15.0 * rng.normal(size=DISTRACTORS) for _ in range(COMPONENTS)]
    factors = [
        3.0 * (np.tril(rng.normal(size=square)) + np.diag(np.exp(rng.normal(size=DISTRACTORS))))
        for _ in range(COMPONENTS)
    ]
    return np.array(locations), np.array(factors), rng.permutation(SIZE)


LOCATIONS, FACTORS, PERMUTATION = _published()
INFORMATIVE = np.argsort(PERMUTATION)[: 2 * PAIRS]
"""Where the numbers of slcp are among the observables."""


class SLCPDistractorsSimulator(SLCPSimulator):
    """Prior, simulator and likelihood of slcp_distractors; its posterior is that of slcp.

    `log_likelihood` is that of the informative numbers. The density of the distractors, a constant factor, is
    left out: its scale matrices are so close to singular that it depends on digits that float32 does not have.
    """

    name = "slcp_distractors"
    observable_names = tuple(f"x_{i}" for i in range(1, SIZE + 1))

    def distractors(self, n: int, rng: np.random.Generator) -> Array:
        """`(n, 92)` draws from the mixture."""
        component = rng.integers(COMPONENTS, size=n)
        z = rng.standard_normal((n, DISTRACTORS)) / np.sqrt(rng.chisquare(FREEDOM, n) / FREEDOM)[:, None]
        drawn = np.empty((n, DISTRACTORS))
        for k in range(COMPONENTS):
            rows = component == k
            drawn[rows] = LOCATIONS[k] + z[rows] @ FACTORS[k].T
        return drawn

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        informative = super()._simulate(parameters, rng)
        leading = informative.shape[:-1]
        noise = self.distractors(int(np.prod(leading)), rng).reshape(*leading, DISTRACTORS)
        return np.concatenate([informative, noise], axis=-1)[..., PERMUTATION]

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        return super()._log_likelihood(parameters, observables[..., INFORMATIVE])
