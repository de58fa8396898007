"""Weights of training rows."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from torch import Tensor

from ..errors import ConfigError, DataError
from ._pipeline import WEIGHT

__all__ = ["WeightMean", "refuse_weights"]


class WeightMean:
    """Mean weight of a data set in float64; divided by it, weights of any size fit into float32.

    Args:
        what: how errors name these data.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.total, self.count = 0.0, 0

    def add(self, weights: Tensor | None) -> WeightMean:
        """Take in the weights `(N,)` of some rows; None where rows have none."""
        if weights is not None:
            self.total += float(weights.double().sum())
            self.count += len(weights)
        return self

    @property
    def value(self) -> float:
        """The mean; 1 without weights.

        Raises:
            DataError: no row has a weight above zero, or the weights are too large to be added.
        """
        mean = self.total / self.count if self.count else 1.0
        if mean == 0:
            raise DataError(f"{self.what}: {WEIGHT} is zero in each of {self.count} rows", variable=WEIGHT)
        if not math.isfinite(mean):
            raise DataError(f"{self.what}: the sum of {WEIGHT} overflows\nDivide the weights.", variable=WEIGHT)
        return mean


def refuse_weights(config: Any, names: Iterable[str], what: str) -> None:
    """No weights where the network's loss couples rows.

    Raises:
        ConfigError: `sample_weight` is among the names.
    """
    cause = getattr(config, "couples_rows", "")
    if cause and WEIGHT in names:
        raise ConfigError(
            f"Rows cannot have weights with {cause}, by which their losses depend on one another; {what} have "
            f"{WEIGHT!r}\n"
            f"Draw the rows by their weights and take {WEIGHT!r} out."
        )
