"""Posterior z-score over posterior contraction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from .._calibration import calibration
from .._choice import chosen, labels
from .._data import Arrays
from ..metrics.posterior_contraction import posterior_contraction
from ..metrics.posterior_z_score import posterior_z_score
from ._panels import panels
from ._style import BAND, BLUE, INK

__all__ = ["z_score_contraction"]


def z_score_contraction(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Each data set by what it told about a parameter and how far the mean then lies from the truth; the figure.

    Schad, Betancourt and Vasishth, arXiv:1904.12765. Good is to the right and in the grey band of 2 deviations, which
    holds about 95 %: a cloud that is taller is too narrow a posterior, one beside 0 a biased one, one at the left has
    learnt nothing.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: not finite, fewer than 2 data sets or draws, true values or draws that are all equal, no such
            variable, more than 64 scalars, or too many or too few labels.
        ShapeError: axes that do not fit.
    """
    picked = chosen(samples, variable_keys)
    names = calibration(picked, targets).names
    across, up = posterior_contraction(picked, targets), posterior_z_score(picked, targets)
    notes = [f"inside {100 * share:.0f} %" for share in (np.abs(up) <= 2).mean(axis=0)]
    figure, axes = panels(
        labels(names, variable_names), notes, figure, xlabel="posterior contraction", ylabel="posterior z-score"
    )
    strength = float(np.clip(100 / len(across), 0.2, 0.8))
    for i, ax in enumerate(axes):
        most = max(3.5, 1.08 * np.abs(up[:, i]).max())
        ax.axhspan(-2, 2, color=BAND, lw=0)
        ax.axhline(0, color=INK, lw=0.8, ls=(0, (4, 2)))
        ax.plot(across[:, i], up[:, i], "o", ms=3.2, mew=0, color=BLUE, alpha=strength)
        low = min(0.0, across[:, i].min())
        ax.set(xlim=(low - 0.05 * (1 - low), 1 + 0.05 * (1 - low)), ylim=(-most, most))
    return figure
