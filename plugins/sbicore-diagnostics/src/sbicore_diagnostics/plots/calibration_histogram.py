"""Histogram of the ranks of true values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure, SubFigure
from scipy.stats import binom

from sbicore.errors import ConfigError

from .._calibration import calibration
from .._choice import chosen, labels
from .._data import Arrays
from .._options import require_probability, seeded
from .._ranks import positions, ranks
from ._panels import panels
from ._style import ACCENT, BAND, INK, tint

__all__ = ["calibration_histogram"]

PER_BIN = 20  # data sets expected in each, where there are enough
BINS = (5, 20)


def calibration_histogram(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    num_bins: int | None = None,
    confidence: float = 0.95,
    seed: int = 1,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """How many true values rank where among the draws, with the band of equal shares; returns the figure.

    The band holds all bars of a calibrated posterior at once (Bonferroni); bars outside are orange. High at both
    ends: the posterior is too narrow; in the middle: too wide; at one end: biased.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        num_bins: of the histogram; by default 5 to 20, for 20 data sets in each.
        confidence: of the band, for each parameter, between 0 and 1.
        seed: for ranks between two bins, and for the order of equal values.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: not finite, fewer than 10 data sets or 10 draws, no such variable, more than 64 scalars, or too
            many or too few labels.
        ShapeError: axes that do not fit.
        ConfigError: a confidence outside (0, 1), or fewer than 2 bins.
    """
    require_probability("confidence", confidence)
    if num_bins is not None and num_bins < 2:
        raise ConfigError(f"num_bins must be 2 or more, got {num_bins!r}")
    names, drawn, true = calibration(chosen(samples, variable_keys), targets, datasets=10, draws=10)
    rng = seeded(seed)
    places = positions(ranks(drawn, true, rng), drawn.shape[1], rng)
    size = len(true)
    bins = int(np.clip(size // PER_BIN, *BINS)) if num_bins is None else num_bins
    tail = (1 - confidence) / (2 * bins)
    low, high = binom.ppf(tail, size, 1 / bins), binom.isf(tail, size, 1 / bins)
    edges = np.linspace(0, 1, bins + 1)
    figure, axes = panels(
        labels(names, variable_names), [""] * len(names), figure, xlabel="rank / number of draws", ylabel="data sets"
    )
    for ax, column in zip(axes, places.T, strict=True):
        counts, _ = np.histogram(column, edges)
        colors = [ACCENT if count < low or count > high else tint(0.55) for count in counts]
        ax.axhspan(low, high, color=BAND, lw=0)
        ax.bar(edges[:-1], counts, 1 / bins, align="edge", color=colors, edgecolor="white", lw=0.5)
        ax.hlines([low, high], 0, 1, color=INK, lw=0.6, ls=":")
        ax.axhline(size / bins, color=INK, lw=0.8, ls=(0, (4, 2)))
        ax.set(xlim=(0, 1), ylim=(0, 1.1 * max(counts.max(), high)))
    return figure
