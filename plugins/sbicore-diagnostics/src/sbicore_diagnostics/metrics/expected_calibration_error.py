"""Expected calibration error of probabilities of models."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError

from .._models import models

__all__ = ["Reliability", "expected_calibration_error", "reliability"]


class Reliability(NamedTuple):
    """By model and bin of predicted probabilities, each `(M, B)`: numbers of data sets, those where the model is
    true, and the mean probability (NaN in an empty bin)."""

    counts: np.ndarray
    true: np.ndarray
    predicted: np.ndarray


def expected_calibration_error(estimates: ArrayLike, targets: ArrayLike, *, num_bins: int = 10) -> np.ndarray:
    """Mean distance of predicted probability and share of true ones over bins of equal width, `(M,)`.

    Naeini, Cooper and Hauskrecht, AAAI 2015. Each model is judged against all others. 0 for calibrated probabilities
    and endless data sets; it is above 0 for few.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, or its number `(N,)`.
        num_bins: between 0 and 1.

    Raises:
        DataError: not finite, no probabilities, or no models; ShapeError for axes that do not fit.
        ConfigError: fewer than 1 bin.
    """
    counts, true, predicted = reliability(estimates, targets, num_bins)
    shares = true / np.maximum(counts, 1)
    error: np.ndarray = np.where(counts > 0, counts * np.abs(shares - predicted), 0.0).sum(axis=1) / counts.sum(axis=1)
    return error


def reliability(estimates: ArrayLike, targets: ArrayLike, num_bins: int) -> Reliability:
    """Counts and mean probabilities in bins of equal width."""
    if num_bins < 1:
        raise ConfigError(f"num_bins must be 1 or more, got {num_bins!r}")
    found, labels = models(estimates, targets)
    one_hot = np.eye(found.shape[1])[labels]
    bins = np.clip((found * num_bins).astype(int), 0, num_bins - 1)
    member = bins[:, :, None] == np.arange(num_bins)
    counts = member.sum(axis=0)
    true = (member * one_hot[:, :, None]).sum(axis=0)
    total = (member * found[:, :, None]).sum(axis=0)
    return Reliability(counts, true, np.where(counts > 0, total / np.maximum(counts, 1), np.nan))
