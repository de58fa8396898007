"""Held-out negative log density: how much a posterior expected the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import DataError

from .._data import finite, require_least, require_shape

__all__ = ["NegativeLogDensity", "negative_log_density"]


class NegativeLogDensity(NamedTuple):
    """Mean over data sets, and its standard error."""

    value: float
    standard_error: float


def negative_log_density(log_prob: ArrayLike) -> NegativeLogDensity:
    """Mean negative log density of true values that training did not see; lower is better, in nats.

    A proper score: in expectation the exact posterior has the lowest. Differences between two networks are best
    judged on the same data: `negative_log_density(one - other)`.

    Args:
        log_prob: log densities of the true values, `(N,)`, as `log_prob` returns them.

    Raises:
        DataError: not finite, or fewer than 2; ShapeError for other shapes.
    """
    array = np.asarray(log_prob)
    if array.dtype.kind == "f" and (none := int((array == -np.inf).sum())):
        raise DataError(f"{none} of {array.size} true values have density 0, so the mean is infinite")
    values = finite("log_prob", log_prob)
    require_shape("log_prob", values, ("N data sets",), values.ndim == 1)
    require_least(len(values), 2, "data sets")
    return NegativeLogDensity(float(-values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))
