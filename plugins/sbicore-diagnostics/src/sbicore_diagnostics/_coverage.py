"""How often regions of given probability hold the truth, with a band and a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sbicore.errors import ConfigError

from . import _simultaneous
from ._options import require_probability

__all__ = ["LEVELS", "Coverage", "coverage_of"]

LEVELS = tuple(i / 100 for i in range(1, 100))


class Coverage(NamedTuple):
    """Share of data sets whose truth lies in the credible region of each level, for D sorts of regions.

    names: of the sorts. levels: `(L,)`. coverage: `(L, D)`. lower, upper: `(L,)`, the band that holds the whole
    curve of a calibrated posterior with the confidence asked for. p_values: `(D,)`.
    """

    names: tuple[str, ...]
    levels: np.ndarray
    coverage: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    p_values: np.ndarray


def coverage_of(names: Sequence[str], smallest: np.ndarray, levels: Sequence[float], confidence: float) -> Coverage:
    """Coverage from the smallest levels `(N, D)` whose regions hold the truth: uniform if calibrated.

    Raises:
        ConfigError: levels or confidence outside (0, 1), or levels that do not increase.
    """
    require_probability("confidence", confidence)
    points = np.asarray(levels, dtype=np.float64)
    if points.ndim != 1 or not points.size or points.min() <= 0 or points.max() >= 1 or (np.diff(points) <= 0).any():
        raise ConfigError(f"levels must be probabilities between 0 and 1 that increase, got {levels!r}")
    size = len(smallest)
    counts = _simultaneous.counts_below(smallest, points)
    tests = _simultaneous.p_values(_simultaneous.discrepancy(counts, size, points), size, points)
    lower, upper = _simultaneous.band(size, points, confidence)
    return Coverage(tuple(names), points, counts / size, lower, upper, tests)
