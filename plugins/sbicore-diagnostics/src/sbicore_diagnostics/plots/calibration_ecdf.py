"""Distribution of the ranks of true values, with a simultaneous band."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure

from .._choice import chosen, labels
from .._data import Arrays
from ..metrics.sbc import SBC, sbc
from ._curves import band, curve, p_value_text
from ._panels import panels, shortened
from ._style import ACCENT, BLUE, COLORS, INK, axes_of

__all__ = ["calibration_ecdf"]


def calibration_ecdf(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    difference: bool = True,
    stacked: bool = False,
    confidence: float = 0.95,
    seed: int = 1,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Share of true values with a rank below each, with the band of a calibrated posterior; returns the figure.

    The band holds the whole curve at once (arXiv:2103.10522); a curve that leaves it is orange. An S that starts
    upwards: the posterior is too narrow; one that starts downwards: too wide; an arch above or below: biased.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        difference: the curve less the diagonal, which shows small deviations.
        stacked: all parameters in one panel.
        confidence: of the band, for each parameter, between 0 and 1.
        seed: for the order of equal values, which discrete parameters have.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: not finite, fewer than 10 data sets or 10 draws, no such variable, more than 64 panels, or too many
            or too few labels.
        ShapeError: axes that do not fit.
        ConfigError: a confidence outside (0, 1).
    """
    result = sbc(chosen(samples, variable_keys), targets, confidence=confidence, seed=seed)
    names = labels(result.names, variable_names)
    xlabel, ylabel = "rank / number of draws", "ECDF difference" if difference else "ECDF"
    if stacked:
        return _stacked(result, names, difference, 1 - confidence, figure, xlabel, ylabel)
    notes = [p_value_text(p) for p in result.p_values]
    figure, axes = panels(names, notes, figure, xlabel=xlabel, ylabel=ylabel)
    for ax, ecdf, p in zip(axes, result.ecdf.T, result.p_values, strict=True):
        band(ax, result.points, result.lower, result.upper, difference=difference)
        color = ACCENT if p <= 1 - confidence else BLUE
        curve(ax, result.points, ecdf, difference=difference, color=color)
    return figure


def _stacked(
    result: SBC,
    names: Sequence[str],
    difference: bool,
    level: float,
    figure: Figure | SubFigure | None,
    xlabel: str,
    ylabel: str,
) -> Figure | SubFigure:
    """All curves in one panel, named if they are few, or those with the smallest p-values that leave the band."""
    named = list(range(len(names)))
    colors: tuple[str, ...] = COLORS
    if len(names) > len(COLORS):
        colors = COLORS[1:]
        named = [int(i) for i in np.argsort(result.p_values) if result.p_values[i] <= level][: len(colors)]
    ax = axes_of(None if figure is None else figure.add_subplot(), (5.4, 3.4))
    band(ax, result.points, result.lower, result.upper, difference=difference)
    for i, ecdf in enumerate(result.ecdf.T):
        if i not in named:
            curve(ax, result.points, ecdf, difference=difference, color=BLUE, width=0.5)
    for color, i in zip(colors, named, strict=False):
        label = f"{shortened(names[i], 20)}, {p_value_text(result.p_values[i])}"
        curve(ax, result.points, result.ecdf[:, i], difference=difference, color=color, label=label)
    if named:
        ax.legend(frameon=False, fontsize=8, labelcolor=INK, loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax.figure
