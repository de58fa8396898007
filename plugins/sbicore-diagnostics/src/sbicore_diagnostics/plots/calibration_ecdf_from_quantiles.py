"""Calibration of estimated quantiles, with a simultaneous band."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure, SubFigure

from .._choice import labels
from .._data import Arrays
from .._estimates import QUANTILES
from ..metrics.quantile_calibration import quantile_calibration
from ._curves import band, curve, p_value_text
from ._panels import panels
from ._style import ACCENT, BLUE

__all__ = ["calibration_ecdf_from_quantiles"]


def calibration_ecdf_from_quantiles(
    estimates: Mapping[str, Any],
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    quantile_levels: Sequence[float],
    quantiles_key: str = QUANTILES,
    difference: bool = True,
    confidence: float = 0.95,
    figure: Figure | SubFigure | None = None,
) -> Figure | SubFigure:
    """Share of true values below each estimated quantile, with the band of calibrated ones; returns the figure.

    The band holds all points at once; a curve that leaves it is orange.

    Args:
        estimates: what `estimate` returns, `{rule: {"quantiles": (N, Q, *event)}}`, or `{"quantiles": ...}`.
        targets: true values `(N, *event)`, or by name.
        variable_keys: names to plot, in this order; by default all.
        variable_names: labels, one for each scalar.
        quantile_levels: of the Q quantiles, increasing.
        quantiles_key: name of the statistic.
        difference: the shares less the levels, which shows small deviations.
        confidence: of the band, for each parameter, between 0 and 1.
        figure: figure or subfigure to fill; by default a new one.

    Raises:
        DataError, ShapeError, ConfigError: as `quantile_calibration`; also for no such variable, more than 64
            scalars, or too many or too few labels.
    """
    result = quantile_calibration(
        estimates,
        targets,
        variable_keys,
        quantile_levels=quantile_levels,
        quantiles_key=quantiles_key,
        confidence=confidence,
    )
    notes = [p_value_text(p) for p in result.p_values]
    ylabel = "share of true values below" if not difference else "share below, less level"
    names = labels(result.names, variable_names)
    figure, axes = panels(names, notes, figure, xlabel="level of the quantile", ylabel=ylabel)
    for i, ax in enumerate(axes):
        color = ACCENT if result.p_values[i] <= 1 - confidence else BLUE
        band(ax, result.levels, result.lower, result.upper, difference=difference)
        curve(ax, result.levels, result.coverage[:, i], difference=difference, color=color, points=True)
    return figure
