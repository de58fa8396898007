"""One number for calibration: the log gamma statistic."""

from __future__ import annotations

import numpy as np

from .. import _simultaneous
from .._calibration import calibration
from .._data import Arrays
from .._options import require_probability, seeded
from .._ranks import ranks
from .sbc import rank_points

__all__ = ["calibration_log_gamma"]


def calibration_log_gamma(
    samples: Arrays,
    targets: Arrays,
    *,
    quantile: float = 0.05,
    seed: int = 1,
) -> np.ndarray:
    """Logarithm of the rank statistic over its critical value, `(D,)`: negative where ranks are not uniform.

    Gamma is the least two-sided tail probability of the empirical distribution function of ranks, as in `sbc`;
    divided by the quantile that it has for uniform ranks, computed exactly: Modrák et al., arXiv:2211.02383.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        quantile: how often a calibrated posterior may come out negative.
        seed: for the order of equal values, which discrete parameters have.

    Raises:
        DataError: not finite, or fewer than 10 data sets or 10 draws.
        ShapeError: axes that do not fit.
        ConfigError: a quantile outside (0, 1).
    """
    require_probability("quantile", quantile)
    _, drawn, true = calibration(samples, targets, datasets=10, draws=10)
    size, draws = drawn.shape[:2]
    points = rank_points(draws)
    found = (ranks(drawn, true, seeded(seed)) + 0.5) / (draws + 1)
    gamma = _simultaneous.discrepancy(_simultaneous.counts_below(found, points), size, points)
    return np.log(gamma / _simultaneous.critical(size, points, quantile))
