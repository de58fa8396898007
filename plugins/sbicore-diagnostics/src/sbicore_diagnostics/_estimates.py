"""Statistics of many posteriors beside the true values, checked: what networks of scoring rules give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sbicore.errors import ConfigError, DataError

from ._calibration import calibration
from ._choice import chosen

__all__ = ["Estimates", "checked_levels", "estimated"]

POINTS = ("median", "mean", "loc")
QUANTILES = "quantiles"


class Estimates(NamedTuple):
    """Points by statistic, each `(N, D)`, quantiles `(N, Q, D)` or None, and true values `(N, D)` of D scalars."""

    names: tuple[str, ...]
    points: dict[str, np.ndarray]
    quantiles: np.ndarray | None
    targets: np.ndarray


def estimated(
    estimates: Mapping[str, Any],
    targets: Any,
    keys: str | Sequence[str] | None = None,
    *,
    quantiles_key: str = QUANTILES,
) -> Estimates:
    """Means, medians, locations and quantiles of `estimate`, `{rule: {statistic: (N, ...)}}`, as flat columns.

    Statistics may be arrays, of one variable or of an array of targets, or mappings by variable; other statistics are
    left out, and so is the level of rules.

    Raises:
        DataError: nothing of that kind, a variable without targets, or values that are not finite.
        ShapeError: axes that do not fit.
    """
    if not isinstance(estimates, Mapping):
        raise DataError("estimates must be a mapping, as estimate(...) returns it: {rule: {statistic: array}}")
    found: dict[str, Any] = {}
    for rule, statistics in estimates.items():
        inner = statistics if isinstance(statistics, Mapping) else {}
        names = [name for name in (*POINTS, quantiles_key) if name in inner]
        found |= {name: inner[name] for name in names}
        if not names and rule in (*POINTS, quantiles_key):
            found[rule] = statistics
    if not found:
        raise DataError(
            f"estimates have none of {', '.join(POINTS)}, {quantiles_key}\nThere are: {', '.join(map(repr, estimates))}"
        )
    points, quantiles, result = {}, None, None
    for name, values in found.items():
        wide = values if name == quantiles_key else _with_axis(values)
        drawn = _named(chosen(wide, keys) if isinstance(wide, Mapping) else wide, targets, keys)
        result = calibration(*drawn, suffix=f" of {name}")
        if name == quantiles_key:
            quantiles = result.samples
        else:
            points[name] = result.samples[:, 0]
    if result is None:
        raise DataError("estimates is empty")
    return Estimates(result.names, points, quantiles, result.targets)


def checked_levels(levels: Sequence[float], count: int) -> np.ndarray:
    """Levels of this many quantiles.

    Raises:
        ConfigError: another number of them, outside (0, 1), or not increasing.
    """
    array = np.asarray(levels, dtype=np.float64)
    if array.ndim != 1 or not array.size or array.min() <= 0 or array.max() >= 1 or (np.diff(array) <= 0).any():
        raise ConfigError(f"quantile_levels must be probabilities between 0 and 1 that increase, got {levels!r}")
    if len(array) != count:
        raise ConfigError(f"There are {len(array)} quantile_levels for {count} quantiles")
    return array


def _with_axis(values: Any) -> Any:
    """Points as the only draw: `(N, ...)` to `(N, 1, ...)`."""
    if isinstance(values, Mapping):
        return {name: _with_axis(value) for name, value in values.items()}
    array = np.asarray(values)
    return array[:, None] if array.ndim else array


def _named(values: Any, targets: Any, keys: str | Sequence[str] | None) -> tuple[Any, Any]:
    """An array of one variable takes the name of the only target; joint statistics are no variable."""
    if isinstance(values, Mapping):
        return {name: value for name, value in values.items() if name != "joint"}, targets
    if not isinstance(targets, Mapping):
        return values, targets
    names = list(targets) if keys is None else [keys] if isinstance(keys, str) else list(keys)
    if len(names) != 1:
        raise DataError(
            f"estimates have one variable without a name, beside targets with {len(names)}\n"
            f"Say which: variable_keys={names[0]!r}"
            if names
            else "targets is empty"
        )
    return {names[0]: values}, targets
