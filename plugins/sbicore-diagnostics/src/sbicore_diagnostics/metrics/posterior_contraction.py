"""Posterior contraction: how much the data told about each parameter."""

from __future__ import annotations

import numpy as np

from .._calibration import calibration, require_varied
from .._data import Arrays

__all__ = ["posterior_contraction"]


def posterior_contraction(samples: Arrays, targets: Arrays) -> np.ndarray:
    """One minus the variance of the posterior over that of the prior, `(N, D)`: 1 for a point, 0 for the prior.

    Schad, Betancourt and Vasishth, arXiv:1904.12765. The variance of the prior is that of the true values. Negative
    where a posterior is wider than that; take a mean or median over data sets for one number a parameter.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.

    Raises:
        DataError: not finite, fewer than 2 draws or data sets, or true values that are all equal.
        ShapeError: axes that do not fit.
    """
    names, drawn, true = calibration(samples, targets, datasets=2, draws=2)
    require_varied(names, true)
    return 1 - drawn.var(axis=1, ddof=1) / true.var(axis=0, ddof=1)
