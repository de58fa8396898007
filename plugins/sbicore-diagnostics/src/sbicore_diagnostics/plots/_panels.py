"""One panel for each parameter, in a grid without empty places."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from sbicore.errors import DataError

from ._style import INK, tidy

__all__ = ["panels", "shortened"]

MOST = 64
FEW = 6  # panels, up to which they are large
COLUMNS = 8
LEFT, RIGHT, BOTTOM = 0.78, 0.15, 0.55  # margins in inches
CHARACTER = 0.0085  # width in inches for each point of the font


def panels(
    titles: Sequence[str],
    notes: Sequence[str],
    figure: Figure | SubFigure | None,
    *,
    xlabel: str,
    ylabel: str,
) -> tuple[Figure | SubFigure, list[Axes]]:
    """A figure with one tidied axes for each title, a note below each title, and labels for all of them.

    Raises:
        DataError: more than 64 panels.
    """
    count = len(titles)
    if count > MOST:
        raise DataError(
            f"{count} scalars would make {count} panels; at most {MOST} can be read\n"
            "Choose some of them: variable_keys=[...], or a part of an array; images have sbicore.diagnostics.images."
        )
    rows = 1 if count <= 4 else math.ceil(count / min(COLUMNS, math.ceil(math.sqrt(1.6 * count))))
    columns = math.ceil(count / rows)
    side = 2.3 if count <= FEW else 1.75 if count <= 2 * FEW else 1.35
    font = 9.0 if count <= 2 * FEW else 7.5
    head = font / 72 * (1.35 * (1 + any(notes)) + 0.4)
    between = 0.056 * font, 0.03 * font + head
    if figure is None:
        width = LEFT + RIGHT + side * columns + between[0] * (columns - 1)
        height = BOTTOM + head + side * rows + between[1] * (rows - 1)
        figure = Figure(figsize=(max(width, 3.2), height))
    width, height = figure.bbox.width / figure.dpi, figure.bbox.height / figure.dpi
    margins = {"left": LEFT / width, "right": 1 - RIGHT / width, "bottom": BOTTOM / height, "top": 1 - head / height}
    across = (width - LEFT - RIGHT - between[0] * (columns - 1)) / columns
    up = (height - BOTTOM - head - between[1] * (rows - 1)) / rows
    spaces = {"wspace": between[0] / max(across, 0.1), "hspace": between[1] / max(up, 0.1)}
    most = max(8, int((across + 0.7 * between[0]) / (CHARACTER * font)))
    managed = figure.get_figure(root=True).get_layout_engine() is not None
    grid = figure.add_gridspec(rows, columns, **({} if managed else margins | spaces))
    axes = []
    for i, (title, note) in enumerate(zip(titles, notes, strict=True)):
        ax = figure.add_subplot(grid[i // columns, i % columns])
        tidy(ax, font)
        lines = [shortened(title, most), *([note] if note else [])]
        ax.set_title("\n".join(lines), fontsize=font, color=INK, y=1.0)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(MaxNLocator(4 if count <= FEW else 3, steps=[1, 2, 2.5, 5, 10]))
        axes.append(ax)
    middle = (margins["left"] + margins["right"]) / 2, (margins["bottom"] + margins["top"]) / 2
    places: list[dict[str, float]] = [{}, {}] if managed else [{"x": middle[0]}, {"y": middle[1]}]
    figure.supxlabel(xlabel, fontsize=10, color=INK, **places[0])
    figure.supylabel(ylabel, fontsize=10, color=INK, **places[1])
    return figure, axes


def shortened(text: str, most: int) -> str:
    """At most this many characters; of a longer text the middle is left out."""
    if len(text) <= most:
        return text
    end = (most - 1) // 2
    return f"{text[: most - 1 - end]}…{text[-end:]}"
