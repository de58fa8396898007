"""Training and validation loss by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from sbicore.errors import DataError

from .._data import require_shape
from ._style import ACCENT, BLUE, INK, axes_of

__all__ = ["loss"]


def loss(history: Any, *, ax: Axes | None = None) -> Figure | SubFigure:
    """Both losses over epochs, the best epoch marked if it is known; returns the figure.

    Epochs with a loss that is not finite leave a gap.

    Args:
        history: what `fit` returns, or any object or mapping with `loss` and perhaps `val_loss`
            (one number an epoch) and `best_epoch` (counted from 0).
        ax: axes to draw on; by default those of a new figure.

    Raises:
        DataError: no finite loss; ShapeError where `val_loss` has another length.
    """
    train = np.asarray(_get(history, "loss", ()), dtype=np.float64)
    validation = np.asarray(_get(history, "val_loss", ()), dtype=np.float64)
    if not np.isfinite(train).any():
        raise DataError("The history has no finite loss to plot\nFit first: history = approximator.fit(...)")
    require_shape("loss", train, ("epochs",), train.ndim == 1)
    require_shape("val_loss", validation, train.shape, validation.shape in (train.shape, (0,)))

    ax = axes_of(ax, (5.5, 3.2))
    epochs = np.arange(1, len(train) + 1)
    marker = "o" if len(train) == 1 else None
    ax.plot(epochs, train, color=BLUE, lw=1.5, marker=marker, label="training")
    if validation.size:
        ax.plot(epochs, validation, color=ACCENT, lw=1.5, marker=marker, label="validation")
    best = _get(history, "best_epoch", None)
    if best is not None:
        curve = validation if validation.size else train
        ax.plot(epochs[best], curve[best], "o", ms=6, mfc="white", mec=INK, mew=1.2, label="best", zorder=3)
    ax.set(xlabel="epoch", ylabel="loss")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    ax.legend(frameon=False, fontsize=9, labelcolor=INK)
    return ax.figure


def _get(history: Any, name: str, default: Any) -> Any:
    value = history.get(name) if isinstance(history, Mapping) else getattr(history, name, None)
    return default if value is None else value
