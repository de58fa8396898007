"""Posterior z-score: how far the posterior mean lies from the truth."""

from __future__ import annotations

import numpy as np

from sbicore.errors import DataError

from .._calibration import calibration
from .._data import Arrays

__all__ = ["posterior_z_score"]


def posterior_z_score(samples: Arrays, targets: Arrays) -> np.ndarray:
    """Posterior mean minus true value, in posterior standard deviations, `(N, D)`: positive where it is too high.

    Schad, Betancourt and Vasishth, arXiv:1904.12765. Over data sets the mean shows a bias, and a mean square above
    1 a posterior that is too narrow.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.

    Raises:
        DataError: not finite, fewer than 2 draws, or draws of a data set that are all equal.
        ShapeError: axes that do not fit.
    """
    names, drawn, true = calibration(samples, targets, draws=2)
    collapsed = np.argwhere(np.ptp(drawn, axis=1) == 0)
    if len(collapsed):
        dataset, column = collapsed[0]
        raise DataError(
            f"All draws of {names[column]} are equal in {len(np.unique(collapsed[:, 0]))} data sets, first in number "
            f"{dataset}: there is no deviation to divide by",
            variable=names[column],
        )
    return (drawn.mean(axis=1) - true) / drawn.std(axis=1, ddof=1)
