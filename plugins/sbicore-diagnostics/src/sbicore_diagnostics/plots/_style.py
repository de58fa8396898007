"""The look of all plots, set on each figure: nothing global is touched."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

__all__ = ["ACCENT", "BAND", "BLUE", "COLORS", "INK", "axes_of", "tidy", "tint"]

INK = "#333333"  # text, axes, observations
BLUE = "#23588f"  # the subject of a plot
ACCENT = "#d1592f"  # true values, validation
COLORS = (BLUE, ACCENT, "#3f8f5b", "#8a5fa8", "#b8912f", "#4aa3b5", "#a8456b", "#6b6b6b")  # of several curves
BAND = "#dcdcdc"  # where a curve may lie


def tint(strength: float) -> tuple[float, ...]:
    """Blue mixed with white, for areas: opaque, so that they do not darken one another."""
    return tuple(1 - strength * (1 - channel) for channel in to_rgb(BLUE))


def axes_of(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The axes given, or those of a new figure, tidied."""
    if ax is None:
        ax = Figure(figsize=size, layout="constrained").add_subplot()
    tidy(ax, 9)
    return ax


def tidy(ax: Axes, size: float) -> None:
    """Thin axes on the left and below, ticks and labels in ink of this size."""
    for side, spine in ax.spines.items():
        spine.set(visible=side in ("left", "bottom"), linewidth=0.6, color=INK)
    ax.tick_params(labelsize=size, labelcolor=INK, color=INK, width=0.6, length=3)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(size=size + 1, color=INK)
