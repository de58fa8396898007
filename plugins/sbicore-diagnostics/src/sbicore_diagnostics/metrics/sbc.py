"""Simulation-based calibration: where do true values rank among the draws?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .. import _simultaneous
from .._calibration import calibration
from .._data import Arrays
from .._options import require_probability, seeded
from .._ranks import ranks

__all__ = ["SBC", "rank_points", "sbc"]

MOST_POINTS = 1_000


class SBC(NamedTuple):
    """Ranks with the test of their uniformity, one column for each of D scalars.

    names: of the scalars. ranks: `(N, D)`, from 0 to S. p_values: `(D,)`; a small one says that the draws are not
    from the posterior. points: `(K,)` in (0, 1). ecdf: `(K, D)`, the share of ranks below each point. lower, upper:
    `(K,)`, the band that holds the whole curve of a calibrated posterior with the confidence asked for.
    """

    names: tuple[str, ...]
    ranks: np.ndarray
    p_values: np.ndarray
    points: np.ndarray
    ecdf: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def sbc(
    samples: Arrays,
    targets: Arrays,
    *,
    confidence: float = 0.95,
    seed: int = 1,
) -> SBC:
    """Ranks of true values among posterior draws, with simultaneous bands and a p-value for each parameter.

    Ranks are uniform if the draws come from the posterior: Talts et al., arXiv:1804.06788. Bands and p-values hold
    for all points at once: Säilynoja et al., arXiv:2103.10522. A narrow posterior has many ranks at both ends, a
    wide one in the middle, a biased one at one end.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        confidence: of the bands, between 0 and 1.
        seed: for the order of equal values, which discrete parameters have.

    Raises:
        DataError: not finite, or fewer than 10 data sets or 10 draws.
        ShapeError: axes that do not fit.
        ConfigError: a confidence outside (0, 1).
    """
    require_probability("confidence", confidence)
    names, drawn, true = calibration(samples, targets, datasets=10, draws=10)
    found = ranks(drawn, true, seeded(seed))
    size, draws = drawn.shape[:2]
    points = rank_points(draws)
    counts = _simultaneous.counts_below((found + 0.5) / (draws + 1), points)
    tests = _simultaneous.p_values(_simultaneous.discrepancy(counts, size, points), size, points)
    lower, upper = _simultaneous.band(size, points, confidence)
    return SBC(names, found, tests, points, counts / size, lower, upper)


def rank_points(draws: int) -> np.ndarray:
    """The possible shares of ranks below a rank, without 0 and 1; at most 1,000 of them."""
    below = np.unique(np.linspace(1, draws, min(draws, MOST_POINTS)).round())
    return below / (draws + 1)
