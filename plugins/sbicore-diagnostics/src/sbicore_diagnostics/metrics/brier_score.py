"""Brier score of probabilities of models."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .._models import models

__all__ = ["brier_score"]


def brier_score(estimates: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Mean square difference of probability and truth (1 or 0) for each model, `(M,)`; their sum is the whole score.

    Brier, Monthly Weather Review 78 (1950) 1. A proper score: in expectation the exact probabilities have the lowest.
    Guessing 1/M gives (M - 1) / M² on average.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, or its number `(N,)`.

    Raises:
        DataError: not finite, no probabilities, or no models; ShapeError for axes that do not fit.
    """
    found, true = models(estimates, targets)
    score: np.ndarray = ((found - np.eye(found.shape[1])[true]) ** 2).mean(axis=0)
    return score
