"""A curve that should be the diagonal, with the band that a calibrated posterior stays in."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from ._style import BAND, INK

__all__ = ["band", "curve", "p_value_text"]


def band(ax: Axes, x: np.ndarray, lower: np.ndarray, upper: np.ndarray, *, difference: bool) -> None:
    """The band between 0 and 1 and the diagonal; less the diagonal if only the difference is shown."""
    where, low, high = _whole(x, 0.0, 1.0), _whole(lower, 0.0, 1.0), _whole(upper, 0.0, 1.0)
    away = where if difference else np.zeros_like(where)
    ax.fill_between(where, low - away, high - away, color=BAND, lw=0)
    ax.plot([0, 1], [0, 0 if difference else 1], color=INK, lw=0.8, ls=(0, (4, 2)))
    ax.set_xlim(0, 1)
    if not difference:
        ax.set_ylim(0, 1)


def curve(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    *,
    difference: bool,
    color: str,
    width: float = 1.4,
    label: str | None = None,
    points: bool = False,
) -> None:
    """The curve from (0, 0) to (1, 1); less the diagonal if only the difference is shown."""
    where, height = _whole(x, 0.0, 1.0), _whole(y, 0.0, 1.0)
    ax.plot(where, height - where if difference else height, color=color, lw=width, label=label)
    if points:
        ax.plot(x, y - x if difference else y, "o", ms=3.5, color=color, mew=0)


def p_value_text(value: float) -> str:
    """For a title."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}" if value < 0.1 else f"p = {value:.2f}"


def _whole(values: np.ndarray, first: float, last: float) -> np.ndarray:
    return np.concatenate([[first], values, [last]])
