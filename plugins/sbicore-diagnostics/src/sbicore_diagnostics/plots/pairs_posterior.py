"""All parameters of a posterior, alone and in pairs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from sbicore.errors import DataError

from .._choice import chosen, labels
from .._data import columns, finite, require_shape
from ._bounds import scalar_bounds
from ._extent import Extent, smoothed
from ._style import ACCENT, BLUE, INK, tidy, tint

__all__ = ["pairs_posterior"]

MOST = 30  # scalars
FEW = 100  # draws, below which regions would mean nothing
POINTS = 1_000  # drawn at most in a panel without regions


def pairs_posterior(
    samples: Mapping[str, ArrayLike],
    *,
    targets: Mapping[str, ArrayLike] | None = None,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    dataset_id: int | None = None,
    bounds: Mapping[str, Any] | None = None,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Marginal densities on the diagonal, joint 50 % and 90 % regions below it; returns the figure.

    Titles give median and 90 % interval. Axes leave out the outermost 0.5 % of the draws where these lie far out.
    Densities are smoothed, and fall to zero beyond the draws unless `bounds` say that nothing is there.

    Args:
        samples: draws by name, each `(S,)` or `(S, d)`; with a leading axis of data sets if `dataset_id`
            says which one to plot, or if there is only one.
        targets: true values by name, each `()` or `(d,)`, with the leading axis that samples have;
            names that samples do not have are left out.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar; by default the names, with an index for vectors.
        dataset_id: which data set to plot.
        bounds: `{name: (low, high)}` as `sbicore.build` takes them, where densities end; names that samples do not have
            are left out.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: empty, not finite, more than 30 scalars, no such data set, or no target among the samples.
            Also for too many or too few labels, and draws outside the bounds.
        ShapeError: shapes that do not fit.
        ConfigError: bounds that are none.
    """
    draws = columns(chosen(samples, variable_keys), dataset_id)
    marks = _marks(targets, draws, dataset_id) if targets is not None else {}
    ends = scalar_bounds(bounds, draws)
    size = len(draws)
    if size > MOST:
        raise DataError(
            f"{size} scalars would make {size * (size + 1) // 2} panels; at most {MOST} can be read\n"
            "Choose some of them; for draws (O, S) of several observations say which: dataset_id=0."
        )
    titles = labels(list(draws), variable_names)
    if figure is None:
        side = min(2.0 * size + 1.5, 24.0)
        figure = Figure(figsize=(side, side))
    font = 9.0 if size <= 6 else 6.5
    grid = figure.add_gridspec(size, size, hspace=0.1, wspace=0.1, **_margins(figure))
    extents = {name: Extent(values, ends[name]) for name, values in draws.items()}
    views = [_view(extent.limits, marks.get(name)) for name, extent in extents.items()]
    for row, (below, y) in enumerate(extents.items()):
        for column, (left, x) in enumerate(list(extents.items())[: row + 1]):
            ax = figure.add_subplot(grid[row, column])
            tidy(ax, font)
            if row == column:
                _marginal(ax, x)
                ax.set_title(f"{titles[row]}{_interval(x.values) if size <= 6 else ''}", fontsize=font, color=INK)
            else:
                _joint(ax, x, y)
                _mark(ax.axhline, marks.get(below))
                ax.set(ylim=views[row], yticks=_ticks(views[row], size))
                ax.set_ylabel(titles[row] if column == 0 else "")
                ax.tick_params(labelleft=column == 0)
            _mark(ax.axvline, marks.get(left))
            ax.set(xlim=views[column], xticks=_ticks(views[column], size))
            ax.set_xlabel(titles[column] if row == size - 1 else "")
            ax.tick_params(labelbottom=row == size - 1)
    figure.align_labels()
    return figure


def _marks(
    targets: Mapping[str, ArrayLike], draws: Mapping[str, np.ndarray], dataset_id: int | None
) -> dict[str, float]:
    marks: dict[str, float] = {}
    for name, values in targets.items():
        parts = [part for part in draws if part.startswith(f"{name}[")]
        event = () if name in draws else (len(parts),)
        if event == (0,):
            continue
        target = finite(f"targets[{name!r}]", values)
        if target.ndim > len(event):
            target = target[dataset_id or 0] if dataset_id is not None or len(target) == 1 else target
        require_shape(f"targets[{name!r}]", target, event, target.shape == event)
        marks |= zip(parts or [name], target.reshape(-1).tolist(), strict=True)
    if not marks:
        raise DataError(f"No target among the samples\nThere are: {', '.join(draws)}")
    return marks


def _margins(figure: Figure | SubFigure) -> dict[str, float]:
    """Room for labels: the same in inches for any size of figure."""
    width, height = figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi
    return {"left": 0.7 / width, "right": 1 - 0.15 / width, "bottom": 0.6 / height, "top": 1 - 0.6 / height}


def _view(limits: tuple[float, float], mark: float | None) -> tuple[float, float]:
    low, high = limits
    if mark is None:
        return limits
    extra = 0.05 * (max(high, mark) - min(low, mark))
    return (mark - extra if mark < low else low), (mark + extra if mark > high else high)


def _ticks(view: tuple[float, float], size: int) -> np.ndarray:
    """A few round numbers, away from the corners where those of the next panel begin."""
    places = np.asarray(MaxNLocator(6 if size <= 6 else 2, steps=[1, 2, 2.5, 5, 10]).tick_values(*view))
    edge = 0.06 * (view[1] - view[0])
    return places[(places > view[0] + edge) & (places < view[1] - edge)]


def _interval(values: np.ndarray) -> str:
    low, median, high = map(_number, np.quantile(values, [0.05, 0.5, 0.95]))
    return f"\n{median}  [{low}, {high}]"


def _number(value: float) -> str:
    """Three digits, and all before the point up to a million."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:#.3g}".rstrip(".")


def _marginal(ax: Axes, extent: Extent) -> None:
    density, [centres] = smoothed(extent)
    places, density = _to_the_ends(extent, centres), np.pad(density, 1, mode="edge")
    ax.fill_between(places, density, color=tint(0.25), lw=0)
    ax.plot(places, density, color=BLUE, lw=1.2)
    ax.set_ylim(0, None)
    ax.spines["left"].set_visible(False)
    ax.yaxis.set_visible(False)


def _joint(ax: Axes, across: Extent, up: Extent) -> None:
    density, centres = smoothed(across, up)
    x, y = across.values, up.values
    ranked = np.sort(density, axis=None)[::-1]
    mass = np.cumsum(ranked) / ranked.sum()
    levels = [*(ranked[np.searchsorted(mass, level)] for level in (0.9, 0.5)), 1.01 * ranked[0]]
    if len(x) < FEW or min(np.ptp(x), np.ptp(y)) == 0 or levels[0] >= levels[1]:
        step = -(-len(x) // POINTS)
        ax.plot(x[::step], y[::step], "o", ms=2.5, mew=0, color=BLUE, alpha=0.5)
        return
    places = [_to_the_ends(extent, each) for extent, each in zip((across, up), centres, strict=True)]
    ax.contourf(*places, np.pad(density, 1, mode="edge").T, levels=levels, colors=[tint(0.25), tint(0.65)])


def _to_the_ends(extent: Extent, centres: np.ndarray) -> np.ndarray:
    """The centres of the bins between the two ends of the range."""
    return np.concatenate([extent.limits[:1], centres, extent.limits[1:]])


def _mark(line: Callable[..., object], value: float | None) -> None:
    if value is not None:
        line(value, color=ACCENT, lw=1.2, ls=(0, (4, 2)))
