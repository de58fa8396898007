"""Sliced Wasserstein distance: how far draws must be moved, seen from many sides."""

from __future__ import annotations

import numpy as np

from sbicore.errors import ConfigError

from .._data import Arrays
from .._options import seeded
from .._two_sets import two_sets

__all__ = ["sliced_wasserstein"]


def sliced_wasserstein(
    samples: Arrays,
    reference: Arrays,
    *,
    projections: int = 200,
    order: float = 2.0,
    z_score: bool = True,
    seed: int = 1,
) -> float:
    """Wasserstein distance of projections on random directions, as the mean of its p-th power to the 1/p; 0 at best.

    Bonneel et al., J. Math. Imaging Vis. 51 (2015) 22; in one dimension it is the Wasserstein distance.

    Args:
        samples: draws `(S, d)` or `(S,)`, or a mapping as `sample` returns it for one observation.
        reference: draws to compare with, of any number.
        projections: how many directions.
        order: p, at least 1.
        z_score: whether to scale both sets by mean and standard deviation of the reference; the distance is then
            in standard deviations.
        seed: for the directions.

    Raises:
        DataError: empty or not finite; ShapeError for unequal numbers of columns.
        ConfigError: no projection, or an order below 1.
    """
    if projections < 1 or not order >= 1:
        raise ConfigError(f"projections and order must be at least 1, got {projections!r} and {order!r}")
    one, two = two_sets(samples, reference, z_score=z_score)
    directions = seeded(seed).normal(size=(projections, one.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    share, left, right = _matched(len(one), len(two))
    powers = [
        share @ np.abs(np.sort(one @ direction)[left] - np.sort(two @ direction)[right]) ** order
        for direction in directions
    ]
    return float(np.mean(powers) ** (1 / order))


def _matched(first: int, second: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What share of the mass goes from which to which of the sorted draws."""
    steps = np.union1d(np.arange(first + 1) * second, np.arange(second + 1) * first)
    return np.diff(steps) / (first * second), steps[:-1] // second, steps[:-1] // first
