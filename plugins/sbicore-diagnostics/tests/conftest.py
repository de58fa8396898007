"""Posteriors made by hand: calibrated, too narrow, biased; what every plot must keep."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import matplotlib
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


@pytest.fixture
def nothing_global():
    """Plots show no window and change no parameters of matplotlib."""
    before = dict.copy(matplotlib.rcParams)  # as they are: looking up the backend would choose one
    yield
    assert dict.copy(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


@pytest.fixture
def drawn():
    """The figure, after everything in it could be rendered."""

    def draw(figure):
        figure.get_figure(root=True).savefig(io.BytesIO(), dpi=20)
        return figure

    return draw
