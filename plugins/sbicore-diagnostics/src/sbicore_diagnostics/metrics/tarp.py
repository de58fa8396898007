"""TARP: coverage of regions around random points, for all parameters jointly and without densities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri
from scipy.stats import chi2

from .._calibration import calibration
from .._coverage import LEVELS, Coverage, coverage_of
from .._data import Arrays, require_least
from .._options import seeded
from .._ranks import positions, ranks

__all__ = ["tarp"]


def tarp(
    samples: Arrays,
    targets: Arrays,
    *,
    references: Arrays | None = None,
    levels: Sequence[float] = LEVELS,
    confidence: float = 0.95,
    seed: int = 1,
) -> Coverage:
    """Share of true values inside the balls around random points that hold a given share of the draws.

    Tests of accuracy with random points, Lemos et al., arXiv:2302.03026. Distances are measured in units of the box
    from the 1 % to the 99 % quantile of all values. The p-value combines two exact tests by Bonferroni. The first,
    of the curve, finds wrong widths; a shift is hidden from it where points lie on both sides of the posterior.
    The second asks whether coverage depends on the side.

    Args:
        samples: independent draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        references: points, shaped as targets; they may depend on the data, never on true values. By default one for
            each data set, uniform in the box.
        levels: probabilities, increasing; by default 0.01 ... 0.99.
        confidence: of the band, between 0 and 1.
        seed: for the points and for the borders of balls, which end between draws.

    Raises:
        DataError: not finite, fewer than 10 data sets or 10 draws, or no more data sets than parameters.
        ShapeError: axes that do not fit.
        ConfigError: levels or confidence outside (0, 1), or levels that do not increase.
    """
    _, drawn, true = calibration(samples, targets, datasets=10, draws=10)
    require_least(len(true), true.shape[1] + 1, f"data sets for {true.shape[1]} parameters")
    rng = seeded(seed)
    everything = np.concatenate([drawn, true[:, None]], axis=1)
    low, high = np.quantile(everything, [0.01, 0.99], axis=(0, 1))
    scale = np.where(high > low, high - low, 1.0)
    everything = (everything - low) / scale
    if references is None:
        points = rng.random(true.shape)
    else:
        points = (calibration(samples, references).targets - low) / scale
    distances = np.linalg.norm(everything - points[:, None], axis=2)
    found = ranks(distances[:, :-1], distances[:, -1], rng)
    places = positions(found, drawn.shape[1], rng)
    curve = coverage_of(["joint"], places[:, None], levels, confidence)
    combined = 2 * min(curve.p_values[0], _p_value_of_sides(points - everything.mean(axis=1), places))
    return curve._replace(p_values=np.array([min(1.0, combined)]))


def _p_value_of_sides(offsets: np.ndarray, places: np.ndarray) -> float:
    """Exact test of places `(N,)`, as normal scores, against the directions of the points, `(N, D)`.

    Directions start at the mean of draws and truth together, so that they do not tell which of them is the truth.
    """
    lengths = np.linalg.norm(offsets, axis=1, keepdims=True)
    directions = offsets / np.where(lengths > 0, lengths, 1.0)
    basis, sizes, _ = np.linalg.svd(directions, full_matrices=False)
    basis = basis[:, sizes > 1e-9 * max(1.0, sizes.max())]
    return float(chi2.sf(((basis.T @ ndtri(places)) ** 2).sum(), basis.shape[1]))
