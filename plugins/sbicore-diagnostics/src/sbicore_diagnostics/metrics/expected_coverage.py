"""Expected coverage of central intervals, parameter by parameter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .._calibration import calibration
from .._coverage import LEVELS, Coverage, coverage_of
from .._data import Arrays
from .._options import seeded
from .._ranks import positions, ranks

__all__ = ["expected_coverage"]


def expected_coverage(
    samples: Arrays,
    targets: Arrays,
    *,
    levels: Sequence[float] = LEVELS,
    confidence: float = 0.95,
    seed: int = 1,
) -> Coverage:
    """Share of true values inside the central intervals of the draws, for each parameter and level.

    Below the level: the posterior is too narrow; above: too wide. A shift widens or narrows little, so `sbc`
    finds one with far fewer data sets. Intervals end between draws, at a place drawn by lot, so that the coverage
    of S draws is exact at every level. The band and the p-values hold for all levels at once (arXiv:2103.10522).

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        levels: probabilities, increasing; by default 0.01 ... 0.99.
        confidence: of the band, between 0 and 1.
        seed: for the ends of intervals.

    Raises:
        DataError: not finite, or fewer than 10 data sets or 10 draws.
        ShapeError: axes that do not fit.
        ConfigError: levels or confidence outside (0, 1), or levels that do not increase.
    """
    names, drawn, true = calibration(samples, targets, datasets=10, draws=10)
    rng = seeded(seed)
    places = positions(ranks(drawn, true, rng), drawn.shape[1], rng)
    return coverage_of(names, np.abs(2 * places - 1), levels, confidence)
