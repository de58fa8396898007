"""True models beside the most probable ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from .._models import model_labels, models
from .._options import require_choice
from ._panels import shortened
from ._style import INK, axes_of, tint

__all__ = ["mc_confusion_matrix"]


def mc_confusion_matrix(
    estimates: ArrayLike,
    targets: ArrayLike,
    model_names: Sequence[str] | None = None,
    *,
    normalize: str | None = "true",
    ax: Axes | None = None,
) -> Figure | SubFigure:
    """How often each model is the most probable one where each is true; returns the figure.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, or its number `(N,)`.
        model_names: labels; by default M1, M2, ...
        normalize: `"true"` for shares of each true model, None for numbers of data sets.
        ax: axes to draw on; by default those of a new figure.

    Raises:
        DataError: not finite, no probabilities, no models, or too many or too few names.
        ShapeError: axes that do not fit.
        ConfigError: another way to normalise.
    """
    require_choice("normalize", normalize, ("true", None))
    found, true = models(estimates, targets)
    size = found.shape[1]
    names = [shortened(name, 16) for name in model_labels(size, model_names)]
    counts = np.zeros((size, size))
    np.add.at(counts, (true, found.argmax(axis=1)), 1)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = min(2.2 + 0.55 * size, 9.0)
    ax = axes_of(ax, (side + 0.4, side))
    for row in range(size):
        for column in range(size):
            share = shares[row, column]
            ax.add_artist(_cell(column, row, share))
            text = f"{share:.2f}" if normalize else f"{counts[row, column]:.0f}"
            text = "–" if normalize and not counts[row].any() else text
            color = "white" if share > 0.6 else INK
            ax.text(column, row, text, ha="center", va="center", fontsize=9 if size <= 8 else 7, color=color)
    for spine in ax.spines.values():
        spine.set_visible(False)
    turned: dict[str, Any] = (
        {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if max(map(len, names)) > 5 else {}
    )
    ax.set_xticks(range(size), names, **turned)
    ax.set_yticks(range(size), names)
    ax.tick_params(length=0)
    ax.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5), aspect="equal")
    ax.set(xlabel="most probable model", ylabel="true model")
    return ax.figure


def _cell(column: int, row: int, share: float) -> Artist:
    return Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, color=tint(0.06 + 0.94 * share), lw=0)
