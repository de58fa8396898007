"""Calibration error: how far coverage lies from its level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._coverage import LEVELS
from .._data import Arrays
from .expected_coverage import expected_coverage

__all__ = ["calibration_error"]


def calibration_error(
    samples: Arrays,
    targets: Arrays,
    *,
    levels: Sequence[float] = LEVELS,
    seed: int = 1,
) -> np.ndarray:
    """Median over levels of the distance between level and coverage of central intervals, `(D,)`.

    0 for calibrated posteriors and endless data sets; chance alone gives about 0.3 / √N.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        levels: probabilities, increasing; by default 0.01 ... 0.99.
        seed: for the ends of intervals.

    Raises:
        DataError: not finite, or fewer than 10 data sets or 10 draws.
        ShapeError: axes that do not fit.
        ConfigError: levels outside (0, 1), or that do not increase.
    """
    result = expected_coverage(samples, targets, levels=levels, seed=seed)
    return np.median(np.abs(result.coverage - result.levels[:, None]), axis=0)
