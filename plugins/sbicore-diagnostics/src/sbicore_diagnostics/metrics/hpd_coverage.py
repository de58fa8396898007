"""Expected coverage of highest-density regions of the joint posterior."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .._calibration import calibration
from .._coverage import LEVELS, Coverage, coverage_of
from .._options import seeded
from .._ranks import positions, ranks

__all__ = ["hpd_coverage"]


def hpd_coverage(
    samples_log_prob: ArrayLike,
    targets_log_prob: ArrayLike,
    *,
    levels: Sequence[float] = LEVELS,
    confidence: float = 0.95,
    seed: int = 1,
) -> Coverage:
    """Share of true values inside the regions of highest posterior density, for each level.

    The region of level 0.9 holds the 90 % of draws with the highest density, so the truth lies inside if fewer
    than that have a higher one: Hermans et al., arXiv:2110.06581. Below the level: the posterior is overconfident.

    Args:
        samples_log_prob: log densities of the draws, `(N, S)`, each under the posterior it was drawn from; minus
            infinity is the lowest.
        targets_log_prob: log densities of the true values, `(N,)`, under the same posteriors.
        levels: probabilities, increasing; by default 0.01 ... 0.99.
        confidence: of the band, between 0 and 1.
        seed: for the borders of regions, which end between draws.

    Raises:
        DataError: NaN or plus infinity, or fewer than 10 data sets or 10 draws.
        ShapeError: axes that do not fit.
        ConfigError: levels or confidence outside (0, 1), or levels that do not increase.
    """
    own, truths = _lowest_finite(samples_log_prob), _lowest_finite(targets_log_prob)
    _, drawn, true = calibration(own, truths, datasets=10, draws=10, suffix="_log_prob")
    rng = seeded(seed)
    places = positions(ranks(-drawn, -true, rng), drawn.shape[1], rng)
    return coverage_of(["joint"], places, levels, confidence)


def _lowest_finite(log_prob: ArrayLike) -> np.ndarray:
    """With the lowest number in place of minus infinity."""
    values = np.asarray(log_prob)
    return np.where(np.isneginf(values), np.finfo(np.float64).min, values) if values.dtype.kind == "f" else values
