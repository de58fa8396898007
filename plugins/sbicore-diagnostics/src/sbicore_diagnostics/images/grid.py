"""Truth, condition, draws, mean and deviation side by side."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from sbicore.errors import DataError

from .._data import Arrays, require_shape
from ..plots._style import INK
from ._fields import drawn_and_true, one_channel, seen

__all__ = ["grid"]

_SIDE = 1.25
"""Of a picture, in inches."""
_FIELD, _AMOUNT, _SPREAD = "RdBu_r", "viridis", "Greys"
_UNSEEN = "#8c8c8c"


def grid(
    samples: Arrays,
    targets: Arrays,
    conditions: ArrayLike | None = None,
    *,
    num_rows: int = 4,
    num_draws: int = 3,
    channel: int = 0,
) -> Figure:
    """A row for each data set: the true image, the condition, some draws, their mean and their deviation.

    Truth, draws and mean of a row share their colours, so that blur and artefacts show; deviations of all rows share
    theirs. Returns the figure.

    Args:
        samples: draws `(N, S, H, W, C)`, or a mapping with this one variable.
        targets: true images `(N, H, W, C)`.
        conditions: images `(N, H, W, D)`, whose first channel is shown with colours of its own, from dark to bright
            where nothing is below 0, and pixels that are NaN in grey; or None.
        num_rows: data sets to show, the first ones.
        num_draws: draws to show of each.
        channel: of samples and targets.

    Raises:
        DataError: empty, not finite, nothing to show, or no such channel.
        ShapeError: axes that do not fit.
    """
    if num_rows < 1 or num_draws < 0:
        raise DataError(f"nothing to show with num_rows={num_rows} and num_draws={num_draws}")
    draws, truths = drawn_and_true(samples, targets, channel)
    given, signed = None, False
    if conditions is not None:
        given = seen("conditions", conditions)
        require_shape("conditions", given, (len(truths), "H", "W", "D"), given.ndim == 4 and len(given) == len(truths))
        given = one_channel("conditions", given, 0)
        signed = bool((given < 0).any())
    rows, shown = min(num_rows, len(truths)), min(num_draws, draws.shape[1])
    mean, spread = draws.mean(1), draws.std(1)
    titles = ["truth", *(["condition"] if given is not None else [])]
    titles += [f"draw {i + 1}" for i in range(shown)] + ["mean", "deviation"]
    height, width = truths.shape[1:]
    size = (_SIDE * len(titles) + 0.9, _SIDE * min(3.0, max(0.4, height / width)) * rows + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(rows, len(titles), squeeze=False)
    for row, line in enumerate(axes):
        fields = [truths[row], *draws[row, :shown], mean[row]]
        far = max(float(np.abs(field - truths.mean()).max()) for field in (truths[row], mean[row])) or 1.0
        limits = (truths.mean() - far, truths.mean() + far)
        pictures = [line[0].imshow(fields[0], cmap=_FIELD, clim=limits)]
        if given is not None:
            line[1].imshow(given[row], cmap=colormaps[_FIELD if signed else _AMOUNT].with_extremes(bad=_UNSEEN))
        for ax, field in zip(line[len(titles) - 2 - shown :], fields[1:], strict=False):
            ax.imshow(field, cmap=_FIELD, clim=limits)
        pictures.append(line[-1].imshow(spread[row], cmap=_SPREAD, clim=(0.0, float(spread[:rows].max()) or 1.0)))
        for picture, ax in zip(pictures, (line[-2], line[-1]), strict=True):
            bar = figure.colorbar(picture, ax=ax, shrink=0.8, pad=0.02)
            bar.ax.tick_params(labelsize=6, labelcolor=INK, color=INK, width=0.5, length=2)
            bar.outline.set_visible(False)  # type: ignore[operator]
    for title, ax in zip(titles, axes[0], strict=True):
        ax.set_title(title, size=9, color=INK)
    for ax in axes.flat:
        _bare(ax)
    return figure


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(linewidth=0.5, color=INK)
