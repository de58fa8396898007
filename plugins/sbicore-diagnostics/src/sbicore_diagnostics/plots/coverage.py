"""How often credible regions hold the truth."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure, SubFigure

from sbicore.errors import DataError

from .._choice import chosen, labels
from .._coverage import Coverage
from .._data import Arrays
from ..metrics.expected_coverage import expected_coverage
from ._curves import band, curve, p_value_text
from ._panels import panels
from ._style import ACCENT, BLUE

__all__ = ["coverage"]


def coverage(
    samples: Arrays | Coverage,
    targets: Arrays | None = None,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    difference: bool = False,
    confidence: float = 0.95,
    seed: int = 1,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Share of true values inside the region of each level, with the band of a calibrated posterior; the figure.

    The band holds the whole curve at once; a curve that leaves it is orange. Below the diagonal: the posterior is
    too narrow; above: too wide.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)`, for central intervals of each parameter;
            or what `expected_coverage`, `hpd_coverage`, `tarp` or `quantile_calibration` returned.
        targets: true values `(N, D)`, or by name `(N, *event)`; none beside a result.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        difference: the curve less the diagonal.
        confidence: of the band, for each parameter, between 0 and 1.
        seed: for the ends of intervals.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError: not finite, fewer than 10 data sets or 10 draws, no such variable, more than 64 panels, too many or
            too few labels, or targets missing.
        ShapeError: axes that do not fit.
        ConfigError: a confidence outside (0, 1).
    """
    if isinstance(samples, Coverage):
        if targets is not None or variable_keys is not None:
            raise DataError("A result is plotted as it is\nLeave targets and variable_keys out.")
        result = samples
    elif targets is None:
        raise DataError("coverage needs the true values beside the draws\nGive: coverage(draws, truths)")
    else:
        result = expected_coverage(chosen(samples, variable_keys), targets, confidence=confidence, seed=seed)
    notes = [p_value_text(p) for p in result.p_values]
    ylabel = "coverage" + (" less level" if difference else "")
    names = labels(result.names, variable_names)
    figure, axes = panels(names, notes, figure, xlabel="level of the region", ylabel=ylabel)
    for i, ax in enumerate(axes):
        y = result.coverage[:, i]
        outside = bool(((y < result.lower) | (y > result.upper)).any())
        band(ax, result.levels, result.lower, result.upper, difference=difference)
        curve(ax, result.levels, y, difference=difference, color=ACCENT if outside else BLUE, points=len(y) <= 20)
    return figure
