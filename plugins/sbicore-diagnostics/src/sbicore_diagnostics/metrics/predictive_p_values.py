"""Predictive p-values: are statistics of the observed data unusual among simulated ones?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError, DataError

from .._data import finite, require_shape

__all__ = ["Predictive", "default_statistics", "predictive_p_values"]

Statistics = Mapping[str, Callable[[np.ndarray], float]]


class Predictive(NamedTuple):
    """By statistic: values of the simulated data `(S,)`, that of the observed, and the two-sided p-value."""

    simulated: dict[str, np.ndarray]
    observed: dict[str, float]
    p_values: dict[str, float]


def predictive_p_values(simulated: ArrayLike, observed: ArrayLike, statistics: Statistics | None = None) -> Predictive:
    """Statistics of simulated data sets beside those of the observed one, with the share as far out on either side.

    Simulated from the prior, a p-value is uniform if the model is right; from the posterior it is closer to 1, because
    the parameters have seen the data (Gelman, Meng and Stern, Statistica Sinica 6 (1996) 733). Then a small one says
    the more.

    Args:
        simulated: data sets `(S, *event)`, one for each draw.
        observed: the data set `(*event)`.
        statistics: functions by name, from a data set `(*event)` to a number. By default mean, deviation, minimum and
            maximum; for one axis of 3 or more also the autocorrelation of neighbours, for images the roughness (mean
            absolute difference of neighbours).

    Raises:
        DataError: empty, not finite, fewer than 2 simulated data sets, or a statistic that is not a finite number.
        ShapeError: shapes that do not fit.
        ConfigError: no statistics.
    """
    drawn, seen = finite("simulated", simulated), finite("observed", observed)
    require_shape("simulated", drawn, ("S >= 2", *seen.shape), drawn.shape[1:] == seen.shape and len(drawn) > 1)
    functions = default_statistics(seen.shape) if statistics is None else statistics
    if not isinstance(functions, Mapping) or not functions:
        raise ConfigError("statistics must be functions by name, for instance {'mean': np.mean}")
    values = {name: _values(name, function, [seen, *drawn]) for name, function in functions.items()}
    below = {name: (1 + (v[1:] <= v[0]).sum()) / len(v) for name, v in values.items()}
    above = {name: (1 + (v[1:] >= v[0]).sum()) / len(v) for name, v in values.items()}
    return Predictive(
        {name: v[1:] for name, v in values.items()},
        {name: float(v[0]) for name, v in values.items()},
        {name: float(min(1.0, 2 * min(below[name], above[name]))) for name in values},
    )


def default_statistics(event: tuple[int, ...]) -> Statistics:
    """What is told of data of this shape."""
    if int(np.prod(event)) == 1:
        return {"value": lambda x: float(x.reshape(()))}
    common: dict[str, Callable[[np.ndarray], float]] = {
        "mean": lambda x: float(x.mean()),
        "deviation": lambda x: float(x.std()),
        "minimum": lambda x: float(x.min()),
        "maximum": lambda x: float(x.max()),
    }
    if len(event) == 1 and event[0] > 2:
        common["autocorrelation of neighbours"] = _autocorrelation
    if len(event) > 1 and min(event[:2]) > 1:
        common["roughness"] = lambda x: float(np.mean([np.abs(np.diff(x, axis=axis)).mean() for axis in (0, 1)]))
    return common


def _autocorrelation(x: np.ndarray) -> float:
    """0 for a constant series."""
    centred = x - x.mean()
    return float((centred[1:] * centred[:-1]).sum() / max((centred**2).sum(), np.finfo(float).tiny))


def _values(name: str, function: Callable[[np.ndarray], float], data: list[np.ndarray]) -> np.ndarray:
    try:
        values = np.array([float(function(x)) for x in data])
    except (TypeError, ValueError) as error:
        raise DataError(f"The statistic {name!r} must give one number for each data set: {error}") from error
    if bad := int((~np.isfinite(values)).sum()):
        raise DataError(f"The statistic {name!r} is NaN or infinite for {bad} of {len(values)} data sets")
    return values
