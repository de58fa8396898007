"""Ranks of true values among draws, uniform if the draws come from the posterior."""

from __future__ import annotations

import numpy as np

__all__ = ["positions", "ranks"]


def ranks(samples: np.ndarray, targets: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """How many of the draws `(N, S, ...)` lie below the true values `(N, ...)`: 0 ... S.

    Among equal values, as discrete parameters have them, the place is drawn by lot: so ranks stay uniform.
    """
    below = (samples < targets[:, None]).sum(axis=1)
    equal = (samples == targets[:, None]).sum(axis=1)
    return below + rng.integers(0, equal, endpoint=True)


def positions(ranks: np.ndarray, draws: int, rng: np.random.Generator) -> np.ndarray:
    """The ranks spread over (0, 1): a uniform rank gives an exactly uniform number."""
    return (ranks + rng.random(ranks.shape)) / (draws + 1)
