"""Correlation of estimates and true values."""

from __future__ import annotations

import numpy as np

from sbicore.errors import DataError

from .._calibration import calibration, require_varied
from .._data import Arrays

__all__ = ["correlation", "correlations"]


def correlation(samples: Arrays, targets: Arrays) -> np.ndarray:
    """Pearson's correlation of posterior medians and true values over data sets, `(D,)`: what `recovery` shows.

    It falls with the noise of the data, so a low one does not mean that the posterior is wrong.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.

    Raises:
        DataError: not finite, fewer than 3 data sets, or true values or medians that are all equal.
        ShapeError: axes that do not fit.
    """
    names, drawn, true = calibration(samples, targets, datasets=3)
    require_varied(names, true)
    found = correlations(np.median(drawn, axis=1), true)
    if undefined := [name for name, r in zip(names, found, strict=True) if not np.isfinite(r)]:
        raise DataError(
            f"Medians of {', '.join(undefined)} are the same in all data sets, so there is no correlation",
            variable=undefined[0],
        )
    return found


def correlations(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Of columns `(N, D)` with each other; NaN for fewer than 3 rows or a constant column."""
    varied = (np.ptp(points, axis=0) > 0) & (np.ptp(targets, axis=0) > 0) & (len(points) > 2)
    one, two = points - points.mean(axis=0), targets - targets.mean(axis=0)
    norms = np.sqrt((one**2).sum(axis=0) * (two**2).sum(axis=0))
    return np.where(varied, (one * two).sum(axis=0) / np.where(varied, norms, 1.0), np.nan)
