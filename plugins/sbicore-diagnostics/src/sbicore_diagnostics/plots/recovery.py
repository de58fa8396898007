"""Estimates over true values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from .._calibration import calibration
from .._choice import chosen, labels
from .._data import Arrays
from .._options import require_choice, require_probability
from ..metrics.correlation import correlations
from ._panels import panels
from ._style import BLUE, INK

__all__ = ["correlation_text", "identity", "recovery"]


def recovery(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    point: str = "median",
    interval: float | None = 0.9,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """A point and an interval of each posterior over its true value, a panel for each parameter; returns the figure.

    A parameter that the data tell lies close to the dashed line. Titles give the correlation of points and true
    values, from three data sets on.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        point: `"median"` or `"mean"` of the draws.
        interval: probability of the central interval; None for points alone.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: empty, not finite, no such variable, more than 64 scalars, or too many or too few labels.
        ShapeError: axes that do not fit.
        ConfigError: an interval outside (0, 1), or another point.
    """
    require_choice("point", point, ("median", "mean"))
    if interval is not None:
        require_probability("interval", interval)
    names, drawn, true = calibration(chosen(samples, variable_keys), targets)
    centre = np.median(drawn, axis=1) if point == "median" else drawn.mean(axis=1)
    label = f"posterior {point}"
    low = high = None
    if interval is not None and drawn.shape[1] > 1:
        low, high = np.quantile(drawn, [(1 - interval) / 2, (1 + interval) / 2], axis=1)
        label = f"{label}, {100 * interval:g} % interval"
    notes = [correlation_text(r) for r in correlations(centre, true)]
    figure, axes = panels(labels(names, variable_names), notes, figure, xlabel="true value", ylabel=label)
    strength = float(np.clip(60 / len(true), 0.12, 0.7))
    for i, ax in enumerate(axes):
        if low is not None and high is not None:
            ax.vlines(true[:, i], low[:, i], high[:, i], color=BLUE, lw=0.8, alpha=0.6 * strength)
        ax.plot(true[:, i], centre[:, i], "o", ms=3.2, mew=0, color=BLUE, alpha=min(1.0, 1.6 * strength))
        ends = [] if low is None or high is None else [np.quantile(low[:, i], 0.02), np.quantile(high[:, i], 0.98)]
        identity(ax, np.concatenate([true[:, i], centre[:, i], ends]))
    return figure


def identity(ax: Axes, values: np.ndarray) -> None:
    """The line where both axes are equal, and the same limits on both, with room around the values."""
    low, high = values.min(), values.max()
    extra = 0.05 * (high - low) or 0.5 * (abs(low) or 1.0)
    view = low - extra, high + extra
    ax.plot(view, view, color=INK, lw=0.8, ls=(0, (4, 2)))
    ax.set(xlim=view, ylim=view, aspect="equal", adjustable="box")


def correlation_text(r: float) -> str:
    """For a title; nothing where there is no correlation."""
    return f"r = {r:.3f}" if np.isfinite(r) else ""
