"""Calibration of probabilities of models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike
from scipy.stats import beta

from .._models import model_labels
from ..metrics.expected_calibration_error import expected_calibration_error, reliability
from ._panels import panels
from ._style import BLUE, INK, tint

__all__ = ["mc_calibration"]


def mc_calibration(
    estimates: ArrayLike,
    targets: ArrayLike,
    model_names: Sequence[str] | None = None,
    *,
    num_bins: int = 10,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """How often a model is true where it is given a probability, a panel for each model; returns the figure.

    Vertical lines are 95 % intervals of the share (Clopper and Pearson). Pale bars are the shares of data sets in each
    bin of probabilities, and titles give the expected calibration error.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, or its number `(N,)`.
        model_names: labels; by default M1, M2, ...
        num_bins: of probabilities, between 0 and 1.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: not finite, no probabilities, no models, more than 64 of them, or too many or too few names.
        ShapeError: axes that do not fit.
        ConfigError: fewer than 1 bin.
    """
    errors = expected_calibration_error(estimates, targets, num_bins=num_bins)
    counts, true, predicted = reliability(estimates, targets, num_bins)
    names = model_labels(len(counts), model_names)
    notes = [f"error {error:.3f}" for error in errors]
    figure, axes = panels(names, notes, figure, xlabel="predicted probability", ylabel="share where the model is true")
    edges = np.arange(num_bins) / num_bins
    for ax, size, hits, where in zip(axes, counts, true, predicted, strict=True):
        ax.bar(edges, size / size.sum(), 1 / num_bins, align="edge", color=tint(0.18), edgecolor="white", lw=0.5)
        ax.plot([0, 1], [0, 1], color=INK, lw=0.8, ls=(0, (4, 2)))
        some = size > 0
        n, k, x = size[some], hits[some], where[some]
        low = np.where(k > 0, beta.ppf(0.025, np.maximum(k, 1), n - k + 1), 0.0)
        high = np.where(k < n, beta.ppf(0.975, k + 1, np.maximum(n - k, 1)), 1.0)
        ax.vlines(x, low, high, color=BLUE, lw=1.0)
        ax.plot(x, k / n, color=BLUE, lw=0.8, alpha=0.4)
        ax.plot(x, k / n, "o", ms=4, color=BLUE, clip_on=False)
        ax.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", adjustable="box")
    return figure
