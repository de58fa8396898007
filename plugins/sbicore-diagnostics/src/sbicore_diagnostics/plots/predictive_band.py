"""Simulated series as a band, with the observed one on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError, DataError

from .._data import finite, require_shape
from ._style import BLUE, INK, axes_of, tint

__all__ = ["predictive_band"]


def predictive_band(
    draws: ArrayLike,
    observed: ArrayLike | None = None,
    *,
    times: ArrayLike | None = None,
    levels: Sequence[float] = (0.5, 0.9),
    xlabel: str = "time",
    ylabel: str = "",
    ax: Axes | None = None,
) -> Figure | SubFigure:
    """Median and central intervals of simulated series at each time; returns the figure.

    Args:
        draws: simulated series `(S, T)`, T >= 2.
        observed: the observed series `(T,)`, drawn as points.
        times: increasing positions `(T,)`; 1 ... T by default.
        levels: probabilities of the intervals, between 0 and 1.
        xlabel, ylabel: labels of the axes.
        ax: axes to draw on; by default those of a new figure.

    Raises:
        DataError: empty, not finite, or times that do not increase; ShapeError where shapes differ.
        ConfigError: a level outside (0, 1), or none.
    """
    series = finite("draws", draws)
    require_shape("draws", series, ("S", "T >= 2"), series.ndim == 2 and series.shape[1] > 1)
    if not levels or not all(0 < level < 1 for level in levels):
        raise ConfigError(f"levels must be probabilities between 0 and 1, got {levels!r}")
    expected = series.shape[1:]
    when = np.arange(1, expected[0] + 1) if times is None else np.asarray(times)
    require_shape("times", when, expected, when.shape == expected)
    if not (when[1:] > when[:-1]).all():
        raise DataError("times must increase", variable="times")

    ax = axes_of(ax, (5.5, 3.6))
    strengths = np.linspace(0.25, 0.55, len(levels))
    for level, strength in zip(sorted(levels, reverse=True), strengths, strict=True):
        low, high = np.quantile(series, [(1 - level) / 2, (1 + level) / 2], axis=0)
        ax.fill_between(when, low, high, color=tint(strength), lw=0, label=f"{100 * level:g} %")
    ax.plot(when, np.median(series, axis=0), color=BLUE, lw=1.5, label="median")
    if observed is not None:
        points = finite("observed", observed)
        require_shape("observed", points, expected, points.shape == expected)
        ax.plot(when, points, "o", ms=4.5, color=INK, mec="white", mew=0.6, label="observed", zorder=3)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.margins(x=0.03)
    ax.legend(frameon=False, fontsize=9, labelcolor=INK)
    return ax.figure
