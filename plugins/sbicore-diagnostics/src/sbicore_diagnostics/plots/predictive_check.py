"""Observed data among simulated ones, as they are and by statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError

from .._data import finite
from ..metrics.predictive_p_values import Statistics, predictive_p_values
from ._curves import p_value_text
from ._panels import shortened
from ._style import ACCENT, INK, tidy, tint
from .predictive_band import predictive_band

__all__ = ["predictive_check"]

DRAWN = 3  # simulated images beside the observed one
COLUMNS = 3


def predictive_check(
    simulated: ArrayLike,
    observed: ArrayLike,
    statistics: Statistics | None = None,
    *,
    kind: str = "auto",
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Data simulated with posterior draws around the observed ones, and statistics of both; returns the figure.

    Vectors and series are shown as a band, images beside a few simulated ones. Below are histograms of each statistic
    with the observed value, and how often simulated ones are as far out: see `predictive_p_values`.

    Args:
        simulated: data sets `(S, *event)`, one for each posterior draw.
        observed: the data set `(*event)`.
        statistics: functions by name, from a data set `(*event)` to a number; by default as `predictive_p_values`.
        kind: `"series"` `(T,)`, `"image"` `(H, W)` or `(H, W, C)`, or `"statistics"` for these alone; by default told
            by the number of axes, one for a series, two and more of 8 or more for an image.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: empty, not finite, fewer than 2 simulated data sets, or a statistic that is not a finite number.
        ShapeError: shapes that do not fit.
        ConfigError: another kind, or one that data of this shape do not have; no statistics.
    """
    found = predictive_p_values(simulated, observed, statistics)
    data, seen = finite("simulated", simulated), finite("observed", observed)
    kind = _kind(kind, seen.shape)
    columns = min(COLUMNS, len(found.p_values))
    rows = math.ceil(len(found.p_values) / columns)
    top = {"series": 2.6, "image": 1.6, "statistics": 0.0}[kind]
    if figure is None:
        width = max(2.4 * columns, 5.5 if kind == "series" else 6.8 if kind == "image" else 3.2)
        figure = Figure(figsize=(width, top + 1.9 * rows), layout="constrained")
    if top:
        halves: Any = figure.subfigures(2, 1, height_ratios=[top, 1.9 * rows])
        above, below = halves
        (_series if kind == "series" else _images)(above, data, seen)
    else:
        below = figure
    for i, name in enumerate(found.p_values):
        ax = below.add_subplot(rows, columns, i + 1)
        tidy(ax, 9)
        _histogram(ax, found.simulated[name], found.observed[name])
        ax.set_title(f"{shortened(name, 30)}\n{p_value_text(found.p_values[name])}", fontsize=9, color=INK)
    return figure


def _kind(kind: str, event: tuple[int, ...]) -> str:
    fits = {
        "series": len(event) == 1 and event[0] > 1,
        "image": len(event) in (2, 3) and event[2:] in ((), (1,), (3,)),
        "statistics": True,
    }
    if kind == "auto":
        return "series" if fits["series"] else "image" if fits["image"] and min(event[:2]) >= 8 else "statistics"
    if not fits.get(kind, False):
        raise ConfigError(
            f"kind={kind!r} does not fit data of shape {event}\n"
            f"Choices here: {', '.join(repr(name) for name, able in fits.items() if able)}"
        )
    return kind


def _series(figure: SubFigure, data: np.ndarray, seen: np.ndarray) -> None:
    ax = figure.add_subplot()
    predictive_band(data, seen, xlabel="position", ax=ax)
    ax.legend(frameon=False, fontsize=9, labelcolor=INK, loc="center left", bbox_to_anchor=(1.0, 0.5))


def _images(figure: SubFigure, data: np.ndarray, seen: np.ndarray) -> None:
    """The observed one, the mean, and a few simulated ones, in the same colours."""
    spread = np.linspace(0, len(data) - 1, min(DRAWN, len(data))).astype(int)
    pictures = [("observed", seen), ("mean", data.mean(axis=0)), *((f"simulated {i + 1}", data[i]) for i in spread)]
    shown = np.stack([picture for _, picture in pictures])
    low, high = shown.min(), shown.max()
    grid = figure.subplots(1, len(pictures))
    for ax, (title, picture) in zip(grid, pictures, strict=True):
        colored = picture.shape[2:] == (3,)
        scaled = (picture - low) / ((high - low) or 1.0) if colored else picture.reshape(picture.shape[:2])
        last = ax.imshow(scaled, vmin=None if colored else low, vmax=None if colored else high, cmap="viridis")
        ax.set_title(title, fontsize=9, color=INK)
        ax.set_axis_off()
    if picture.shape[2:] != (3,):
        bar = figure.colorbar(last, ax=list(grid), shrink=0.7, pad=0.02)
        bar.ax.tick_params(labelsize=8, labelcolor=INK, length=2)
        bar.outline.set_visible(False)  # type: ignore[operator]


def _histogram(ax: Axes, values: np.ndarray, seen: float) -> None:
    """Counts, and a line at the observed value; a bar for each number where there are few whole ones."""
    low, high = values.min(), values.max()
    if low == high:
        edges = np.array([low - 0.5, low + 0.5]) if low == round(low) else low + abs(low) * np.array([-0.05, 0.05])
    elif (values == values.round()).all() and high - low < 40:
        edges = np.arange(low - 0.5, high + 1)
    else:
        edges = np.linspace(low, high, int(np.clip(np.sqrt(len(values)), 5, 30)) + 1)
    counts, _ = np.histogram(values, edges)
    ax.bar(edges[:-1], counts, np.diff(edges), align="edge", color=tint(0.45), edgecolor="white", lw=0.4)
    ax.axvline(seen, color=ACCENT, lw=1.6)
    ax.set_ylim(0, None)
    ax.yaxis.set_visible(False)
    ax.spines["left"].set_visible(False)
    ax.locator_params(axis="x", nbins=4)
