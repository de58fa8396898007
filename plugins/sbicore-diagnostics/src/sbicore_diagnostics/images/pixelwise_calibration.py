"""How often each pixel's interval holds its true value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .._data import Arrays, require_least
from .._options import require_probability
from ..plots._style import INK
from ._fields import drawn_and_true

__all__ = ["PixelwiseCalibration", "coverage_map", "pixelwise_calibration"]


class PixelwiseCalibration(NamedTuple):
    """Coverage of central intervals, pixel by pixel.

    levels: `(L,)`, of the intervals, as near to those asked for as the number of draws allows. coverage: `(L, H, W)`,
    share of data sets whose truth lies inside. errors: `(L,)`, standard error of a pixel's coverage if it is right.
    """

    levels: np.ndarray
    coverage: np.ndarray
    errors: np.ndarray


def pixelwise_calibration(
    samples: Arrays, targets: Arrays, levels: Sequence[float] = (0.5, 0.9), *, channel: int = 0
) -> PixelwiseCalibration:
    """Coverage of each pixel's central intervals; `coverage.mean((1, 2))` is that of all pixels together.

    If the posterior is right, a true value has any rank among its S draws with probability 1 / (S + 1), so that
    intervals between draws of given ranks have exact levels.

    Args:
        samples: draws `(N, S, H, W, C)`.
        targets: true images `(N, H, W, C)`.
        levels: probabilities of the intervals.
        channel: to look at.

    Raises:
        ConfigError: a level outside (0, 1).
        DataError, ShapeError: as `grid`; fewer than two data sets or draws.
    """
    for level in levels:
        require_probability("level", level)
    draws, truths = drawn_and_true(samples, targets, channel)
    count, size = draws.shape[:2]
    require_least(count, 2, "data sets")
    require_least(size, 2, "draws of each")
    below = (draws < truths[:, None]).sum(1)
    tails = np.clip(np.rint((size + 1) * (1 - np.asarray(levels, dtype=float)) / 2), 1, size // 2).astype(int)
    exact = 1 - 2 * tails / (size + 1)
    covered = np.stack([((below >= tail) & (below <= size - tail)).mean(0) for tail in tails])
    return PixelwiseCalibration(exact, covered, np.sqrt(exact * (1 - exact) / count))


def coverage_map(
    samples: Arrays, targets: Arrays, level: float = 0.9, *, channel: int = 0, ax: Axes | None = None
) -> Axes:
    """Each pixel's coverage less its level, in standard errors: beyond 3, blue is too narrow, red too wide.

    Args:
        samples, targets, channel: as in `pixelwise_calibration`.
        level: probability of the intervals.
        ax: to draw on; by default a new figure's. Returned.
    """
    found = pixelwise_calibration(samples, targets, (level,), channel=channel)
    if ax is None:
        ax = Figure(figsize=(3.6, 3.0), layout="constrained").add_subplot()
    apart = (found.coverage[0] - found.levels[0]) / found.errors[0]
    picture = ax.imshow(apart, cmap="RdBu_r", clim=(-5.0, 5.0))
    bar = ax.figure.colorbar(picture, ax=ax, shrink=0.85)
    bar.ax.tick_params(labelsize=8, labelcolor=INK, color=INK)
    bar.set_label("standard errors", size=9, color=INK)
    ax.set(xticks=[], yticks=[])
    ax.set_title(f"{found.levels[0]:.0%} intervals hold {found.coverage[0].mean():.1%}", size=10, color=INK)
    return ax
