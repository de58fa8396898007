"""Maximum mean discrepancy: a distance between two sets of draws, and a test of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist, pdist

from sbicore.errors import ConfigError, DataError

from .._data import Arrays
from .._options import seeded
from .._two_sets import two_sets

__all__ = ["MMDTest", "mmd", "mmd_test"]

BLOCK = 500  # rows of the kernel matrix at a time
MOST = 2_000  # draws, of both sets together, whose distances give the bandwidth
ROUNDING = 1e-12


class MMDTest(NamedTuple):
    """The squared discrepancy, and the probability of one as large between sets of the same distribution."""

    value: float
    p_value: float


def mmd(
    samples: Arrays,
    reference: Arrays,
    *,
    bandwidth: float | None = None,
    z_score: bool = True,
) -> float:
    """Unbiased estimate of the squared maximum mean discrepancy: around 0, also below, for equal distributions.

    Gretton et al., JMLR 13 (2012) 723, lemma 6, with the kernel `exp(-distance² / (2 bandwidth²))`.

    Args:
        samples: draws `(S, d)` or `(S,)`, or a mapping as `sample` returns it for one observation.
        reference: draws to compare with, of any number.
        bandwidth: by default the median distance between draws of both sets together.
        z_score: whether to scale both sets by mean and standard deviation of the reference.

    Raises:
        DataError: not finite, fewer than 2 draws in a set, or all draws equal.
        ShapeError: unequal numbers of columns.
        ConfigError: a bandwidth that is not positive.
    """
    one, two = two_sets(samples, reference, z_score=z_score, least=2)
    return float(_statistics(one, two, bandwidth, np.empty((len(one) + len(two), 0)))[0])


def mmd_test(
    samples: Arrays,
    reference: Arrays,
    *,
    permutations: int = 200,
    bandwidth: float | None = None,
    z_score: bool = True,
    seed: int = 1,
) -> MMDTest:
    """The same with a p-value: how often sets dealt at random from all draws are as far apart.

    Args:
        samples, reference, bandwidth, z_score: as for `mmd`.
        permutations: how many random deals; the smallest p-value is 1 / (permutations + 1).
        seed: for the deals.

    Raises:
        DataError: not finite, fewer than 5 draws in a set, or all draws equal.
        ShapeError: unequal numbers of columns.
        ConfigError: a bandwidth that is not positive, or fewer than 19 permutations.
    """
    if permutations < 19:
        raise ConfigError(f"permutations must be at least 19, for a p-value of 0.05, got {permutations}")
    one, two = two_sets(samples, reference, z_score=z_score, least=5)
    rng = seeded(seed)
    deals = rng.permuted(np.tile(np.arange(len(one) + len(two)) < len(one), (permutations, 1)), axis=1).T
    value, *others = _statistics(one, two, bandwidth, deals)
    return MMDTest(float(value), float((1 + (np.array(others) >= value - ROUNDING).sum()) / (1 + permutations)))


def _statistics(one: np.ndarray, two: np.ndarray, bandwidth: float | None, deals: np.ndarray) -> np.ndarray:
    """The estimate for the sets as they are, then for each column of `deals (n, B)` with the rows it marks as first.

    The kernel matrix is never held: for marks m, sums over it follow from K m and K 1, block by block.
    """
    rows = np.concatenate([one, two])
    first, size = len(one), len(rows)
    width = _bandwidth(one, two) if bandwidth is None else bandwidth
    if not (np.isfinite(width) and width > 0):
        raise ConfigError(f"bandwidth must be positive, got {bandwidth!r}")
    marks = np.column_stack([np.arange(size) < first, deals]).astype(np.float64)
    within, across = np.zeros(marks.shape[1]), np.zeros(marks.shape[1])
    everything = 0.0
    for start in range(0, size, BLOCK):
        part = slice(start, start + BLOCK)
        kernel = np.exp(-cdist(rows[part], rows, "sqeuclidean") / (2 * width**2))
        sums = kernel.sum(axis=1)
        within += (marks[part] * (kernel @ marks)).sum(axis=0)
        across += sums @ marks[part]
        everything += sums.sum()
    last = size - first
    across -= within
    return (
        (within - first) / (first * (first - 1))
        + (everything - 2 * across - within - last) / (last * (last - 1))
        - 2 * across / (first * last)
    )


def _bandwidth(one: np.ndarray, two: np.ndarray) -> float:
    """Median distance, from draws evenly spread over both sets."""
    rows = np.concatenate([one, two])
    width = float(np.median(pdist(rows[:: -(-len(rows) // MOST)])))
    if width > 0:
        return width
    raise DataError("Half of the draws or more are equal, which leaves no bandwidth\nGive one: bandwidth=1.0")
