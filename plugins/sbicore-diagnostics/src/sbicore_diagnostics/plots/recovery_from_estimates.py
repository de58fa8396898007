"""Estimates of a network of scoring rules over true values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure, SubFigure

from .._choice import labels
from .._data import Arrays
from .._estimates import QUANTILES, estimated
from ..metrics.correlation import correlations
from ._panels import panels
from ._style import ACCENT, BLUE, INK
from .recovery import correlation_text, identity

__all__ = ["recovery_from_estimates"]

MARKERS = {"median": "o", "mean": "D", "loc": "s", "middle quantile": "o"}


def recovery_from_estimates(
    estimates: Mapping[str, Any],
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    quantiles_key: str = QUANTILES,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Means, medians and quantiles over true values, a panel for each parameter; returns the figure.

    Lines go from the lowest to the highest quantile. Titles give the correlation of the first sort of point in the
    legend with the true values, from three data sets on.

    Args:
        estimates: what `estimate` returns, `{rule: {statistic: (N, ...)}}`; plotted are `median`, `mean`, `loc` and
            quantiles. The level of rules may be left out.
        targets: true values `(N, *event)`, or by name.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        quantiles_key: name of the statistic that has quantiles.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: none of these statistics, not finite, no such variable, more than 64 scalars, or too many or too
            few labels.
        ShapeError: axes that do not fit.
    """
    names, points, quantiles, true = estimated(estimates, targets, variable_keys, quantiles_key=quantiles_key)
    if quantiles is not None and quantiles.shape[1] % 2 and "median" not in points:
        points = {"middle quantile": quantiles[:, quantiles.shape[1] // 2]} | points
    elif quantiles is not None and not points:
        points = {"middle quantile": np.median(quantiles, axis=1)}
    notes = [correlation_text(r) for r in correlations(next(iter(points.values())), true)]
    figure, axes = panels(labels(names, variable_names), notes, figure, xlabel="true value", ylabel="estimate")
    strength = float(np.clip(60 / len(true), 0.12, 0.7))
    for i, ax in enumerate(axes):
        shown = [true[:, i]]
        if quantiles is not None and quantiles.shape[1] > 1:
            low, high = quantiles[:, 0, i], quantiles[:, -1, i]
            ax.vlines(true[:, i], low, high, color=BLUE, lw=0.8, alpha=0.6 * strength, label="outermost quantiles")
            shown += [np.quantile(low, [0.02]), np.quantile(high, [0.98])]
        for color, (label, values) in zip((BLUE, ACCENT, INK), points.items(), strict=False):
            style: dict[str, Any] = {"marker": MARKERS[label], "ms": 3.2, "mew": 0, "ls": "", "color": color}
            ax.plot(true[:, i], values[:, i], alpha=min(1.0, 1.6 * strength), label=label, **style)
            shown.append(values[:, i])
        identity(ax, np.concatenate(shown))
    if len(axes[0].get_legend_handles_labels()[0]) > 1:
        legend = axes[0].legend(frameon=False, fontsize=7, labelcolor=INK, loc="lower right", handletextpad=0.3)
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1.0)
    return figure
