"""Observations that lie far outside what the network was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

from torch import Tensor

from .._messages import listing
from ..errors import DataWarning
from ._masks import mask_of
from ._pipeline import Pipeline
from ._standardizer import Standardizer

__all__ = ["warn_of_far"]

_ROUNDING = 1e-6
"""Of values that only differ in the width of their floats."""


def warn_of_far(
    pipeline: Pipeline,
    standardizers: Mapping[str, Standardizer],
    joined: Mapping[str, Tensor],
    what: str,
    *,
    depth: int,
) -> None:
    """Warn of values outside the range of the training data by more than this range is wide.

    Args:
        pipeline: a bound one.
        standardizers: of the parts, which know their ranges.
        joined: role tensors `(O, *event)` before standardisation, with their masks.
        what: how the warning names these data.
        depth: how many calls the user's is away.
    """
    for part, standardizer in standardizers.items():
        value, low, high = joined[part], standardizer.low, standardizer.high
        width = high - low + _ROUNDING * low.abs().maximum(high.abs())
        far = (low <= high) & ((value > high + width) | (value < low - width))
        if (mask := joined.get(mask_of(part))) is not None:
            far &= mask if mask.ndim == far.ndim else mask.unsqueeze(-1)
        if not far.any():
            continue
        rows, features = far.flatten(1).any(1), far.flatten(0, -2).any(0)
        first = int(features.nonzero()[0])
        found = [name for name, is_far in zip(pipeline.feature_names(part), features.tolist(), strict=True) if is_far]
        warnings.warn(
            f"{what}: {listing(found)} far outside the training data in {int(rows.sum())} of {len(rows)} observations; "
            f"{found[0]} was {low[first]:.4g} to {high[first]:.4g} there. "
            "The network was never trained on such values, and its answer is a guess.\n"
            "Check the units, or train on simulations that reach as far.",
            DataWarning,
            stacklevel=depth + 1,
        )
