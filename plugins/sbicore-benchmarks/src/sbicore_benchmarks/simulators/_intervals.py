"""Normal distributions restricted to an interval: what lies in it, and draws from it.

Both work from the lower tail, into which an interval above the mean is mirrored, so that far from the mean
nothing cancels. `lower` and `upper` are in standard deviations from the mean.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from ._priors import Array


def mass(lower: Array, upper: Array) -> Array:
    """Probability of `[lower, upper]`, elementwise."""
    low, high, _ = _mirrored(lower, upper)
    probability: Array = ndtr(high) - ndtr(low)
    return probability


def restricted(lower: Array, upper: Array, u: Array) -> Array:
    """Quantiles `u`, uniform on [0, 1), of the standard normal within `[lower, upper]`."""
    low, high, sign = _mirrored(lower, upper)
    drawn: Array = sign * np.clip(ndtri(ndtr(low) + u * (ndtr(high) - ndtr(low))), low, high)
    return drawn


def _mirrored(lower: Array, upper: Array) -> tuple[Array, Array, Array]:
    above = lower > 0.0
    return np.where(above, -upper, lower), np.where(above, -lower, upper), np.where(above, -1.0, 1.0)
