"""Is a sample uniform? An exact test by its empirical distribution function, at many points at once.

The statistic and the simultaneous bands are those of Säilynoja, Bürkner and Vehtari (arXiv:2103.10522): the least of
the two-sided binomial tail probabilities over the points. Its distribution is computed, not simulated: given their
number, uniform points are those of a Poisson process, whose counts stay within bounds with a probability that one
convolution a point gives.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.special import gammaln
from scipy.stats import binom

__all__ = ["band", "counts_below", "critical", "discrepancy", "p_values"]

SLACK = 1 + 1e-9  # so that a count with exactly the probability in question is told apart
FLOOR = 1e-12  # rounding of a probability that is a difference from 1


def counts_below(values: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How many of the values `(N, D)` lie at or below each point `(K,)`: `(K, D)`."""
    return np.stack([np.searchsorted(column, points, side="right") for column in np.sort(values, axis=0).T], axis=1)


def discrepancy(counts: np.ndarray, size: int, points: np.ndarray) -> np.ndarray:
    """The statistic `(D,)` of counts `(K, D)` of `size` values at or below points `(K,)` in (0, 1): small is bad."""
    column = points[:, None]
    tails = np.minimum(binom.cdf(counts, size, column), binom.sf(counts - 1, size, column))
    return 2 * tails.min(axis=0)


def p_values(statistics: np.ndarray, size: int, points: np.ndarray) -> np.ndarray:
    """Probabilities that `size` uniform values have a statistic as small as these."""
    return np.array([_probability(float(value), size, points) for value in statistics])


def critical(size: int, points: np.ndarray, level: float) -> float:
    """The largest statistic that uniform values fall to with probability `level` at most."""
    return _critical(size, tuple(points.tolist()), level)


def band(size: int, points: np.ndarray, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest share of values `(K,)` that uniform ones have at all points at once with this confidence."""
    low, high = _inside(critical(size, points, 1 - confidence), size, points)
    return low / size, high / size


@functools.lru_cache(maxsize=64)
def _critical(size: int, points: tuple[float, ...], level: float) -> float:
    where = np.array(points)
    low, high = np.log(level / len(points)) - 1, 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _probability(np.exp(middle), size, where) <= level else (low, middle)
    return float(np.exp(low))


def _inside(statistic: float, size: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest count at each point with a tail probability above that of the statistic."""
    tail = min(statistic * SLACK / 2, 1.0)
    return binom.ppf(tail, size, points).astype(int), binom.isf(tail, size, points).astype(int)


def _probability(statistic: float, size: int, points: np.ndarray) -> float:
    low, high = _inside(statistic, size, points)
    if (low > high).any():
        return 1.0
    log_factorial = gammaln(np.arange(size + 1) + 1)

    def poisson(counts: np.ndarray, share: float) -> np.ndarray:
        mean = size * share
        return np.exp(counts * np.log(mean) - mean - log_factorial[counts])

    state, start, before = np.ones(1), 0, 0.0
    for point, least, most in zip(points, low, high, strict=True):
        steps = poisson(np.arange(most - start + 1), point - before)
        state = np.convolve(state, steps)[least - start : most - start + 1]
        start, before = least, point
    left = size - np.arange(start, start + len(state))
    stay = state @ poisson(left, 1 - before) / poisson(np.array([size]), 1.0)[0]
    return float(np.clip(1 - stay, FLOOR, 1.0))
