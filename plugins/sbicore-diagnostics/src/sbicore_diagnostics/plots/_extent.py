"""How far the axis of one scalar reaches, and its draws smoothed along it."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

__all__ = ["Extent", "smoothed"]

BINS = 50
MARGIN = 3.0  # bandwidths between the outermost draws and an end that is open


class Extent:
    """The range of draws `(S,)` that is shown, and the width that smooths them.

    It holds 99.5 % of the draws and a little more, though nothing beyond them but a margin in which their density falls
    to zero; a bound ends it, and densities are reflected there. It is wide where the draws are constant.
    """

    def __init__(self, values: np.ndarray, bounds: tuple[float, float]) -> None:
        self.values = values
        low, high = np.quantile(values, [0.0025, 0.9975])
        extra, margin = 0.05 * (high - low), MARGIN * _bandwidth(values, 1)
        low, high = max(values.min(), low - extra) - margin, min(values.max(), high + extra) + margin
        if not low < high:
            low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
        self.limits = max(low, bounds[0]), min(high, bounds[1])

    def width(self, dimension: int) -> float:
        """The bandwidth in bins; at least half of one."""
        return max(0.5, _bandwidth(self.values, dimension) * BINS / (self.limits[1] - self.limits[0]))


def smoothed(*extents: Extent) -> tuple[np.ndarray, list[np.ndarray]]:
    """The density of the draws in bins of their ranges, not normalised, and the centres of these along each axis.

    It is reflected at all ends: at those that are open next to nothing is.
    """
    counts, edges = np.histogramdd(
        [extent.values for extent in extents], BINS, range=[extent.limits for extent in extents]
    )
    density = gaussian_filter(counts, [extent.width(len(extents)) for extent in extents], mode="reflect")
    return density, [(each[1:] + each[:-1]) / 2 for each in edges]


def _bandwidth(values: np.ndarray, dimension: int) -> float:
    """Scott's rule with a spread that long tails do not widen."""
    low, high = np.quantile(values, [0.25, 0.75])
    deviation = float(values.std())
    spread = min(deviation, (high - low) / 1.349) if high > low else deviation
    return float(spread * len(values) ** (-1 / (dimension + 4)))
