"""Posteriors made by hand: calibrated, too narrow, biased."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

Maker = Callable[..., tuple[np.ndarray, np.ndarray]]


@pytest.fixture
def posteriors() -> Maker:
    """Draws `(N, S, D)` and truths `(N, D)` of normal posteriors, whose means differ between data sets.

    The draws have the deviation of the posterior times `deviation`, and its mean plus `shift` deviations.
    """

    def make(seed, datasets, draws, size, *, shift=0.0, deviation=1.0):
        rng = np.random.default_rng(seed)
        means = 3 * rng.normal(size=(datasets, size))
        truths = means + rng.normal(size=(datasets, size))
        return means[:, None] + shift + deviation * rng.normal(size=(datasets, draws, size)), truths

    return make
