"""Accuracy: how often the most probable model is the true one."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._models import models

__all__ = ["accuracy"]


def accuracy(estimates: ArrayLike, targets: ArrayLike, *, per_model: bool = False) -> float | np.ndarray:
    """Share of data sets whose most probable model is the true one.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, or its number `(N,)`.
        per_model: the share for each true model, `(M,)`; NaN for one that is never true.

    Raises:
        DataError: not finite, no probabilities, or no models; ShapeError for axes that do not fit.
    """
    found, true = models(estimates, targets)
    hits = found.argmax(axis=1) == true
    if not per_model:
        return float(hits.mean())
    return np.array([hits[true == m].mean() if (true == m).any() else np.nan for m in range(found.shape[1])])
