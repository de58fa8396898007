"""Calibration of estimated quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sbicore.errors import DataError

from .._coverage import Coverage, coverage_of
from .._data import Arrays, require_least
from .._estimates import QUANTILES, checked_levels, estimated

__all__ = ["quantile_calibration"]


def quantile_calibration(
    estimates: Mapping[str, Any],
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    *,
    quantile_levels: Sequence[float],
    quantiles_key: str = QUANTILES,
    confidence: float = 0.95,
) -> Coverage:
    """Share of true values below each estimated quantile, which should be its level, with a band and a p-value.

    Band and p-values hold for all levels at once (arXiv:2103.10522).

    Args:
        estimates: what `estimate` returns, `{rule: {"quantiles": (N, Q, *event)}}`, or `{"quantiles": ...}`.
        targets: true values `(N, *event)`, or by name.
        variable_keys: names, in this order; by default all.
        quantile_levels: of the Q quantiles, increasing.
        quantiles_key: name of the statistic.
        confidence: of the band, between 0 and 1.

    Raises:
        DataError: no quantiles, quantiles that cross, not finite, or fewer than 10 data sets.
        ShapeError: axes that do not fit.
        ConfigError: levels that do not fit the quantiles, or a confidence outside (0, 1).
    """
    names, _, quantiles, true = estimated(estimates, targets, variable_keys, quantiles_key=quantiles_key)
    if quantiles is None:
        raise DataError(f"estimates have no {quantiles_key!r}\nTrain with: points=['quantiles']")
    levels = checked_levels(quantile_levels, quantiles.shape[1])
    require_least(len(true), 10, "data sets")
    if (np.diff(quantiles, axis=1) < 0).any():
        raise DataError("Quantiles cross: some of a higher level are lower\nSort them, or their levels, first.")
    below = (quantiles < true[:, None]).sum(axis=1)
    smallest = np.append(levels, 1.0)[below]
    return coverage_of(names, smallest, levels.tolist(), confidence)
