"""Classifier two-sample test: how well can a classifier tell two sets of draws apart?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError

from .._data import finite, require_shape

__all__ = ["c2st"]


def c2st(samples: ArrayLike, reference: ArrayLike, *, seed: int = 1, n_folds: int = 5, z_score: bool = True) -> float:
    """Accuracy of a classifier between two sets of draws; 0.5 for equal distributions, 1 for disjoint ones.

    The definition of the benchmark by Lueckmann et al., arXiv:2101.04653, as its code (sbibm 1.1.0)
    computes it: held-out accuracy, averaged over shuffled folds, of scikit-learn's MLPClassifier with
    two hidden layers of 10 times the dimension, on data scaled by mean and deviation of the reference.

    Args:
        samples: draws to judge, `(S, d)` or `(S,)`.
        reference: draws of the reference, of the same shape.
        seed: for the folds and the classifier.
        n_folds: number of folds, at least 2.
        z_score: whether to scale both sets by mean and standard deviation of the reference; a column
            that is constant there is only centred.

    Raises:
        DataError: empty or not finite; ShapeError where the two shapes differ.
        ConfigError: fewer than 2 folds, or more than draws.
    """
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neural_network import MLPClassifier

    known, judged = finite("reference", reference), finite("samples", samples)
    require_shape("reference", known, ("S", "d"), known.ndim in (1, 2))
    require_shape("samples", judged, known.shape, judged.shape == known.shape)
    known, judged = known.reshape(len(known), -1), judged.reshape(len(judged), -1)
    if not 2 <= n_folds <= 2 * len(known):
        raise ConfigError(f"n_folds must be between 2 and the number of draws, got {n_folds}")
    if z_score:
        centre, scale = known.mean(axis=0), known.std(axis=0, ddof=1) if len(known) > 1 else np.ones(1)
        scale = np.where(scale > 0, scale, 1.0)
        known, judged = (known - centre) / scale, (judged - centre) / scale
    data = np.concatenate([known, judged]).astype(np.float32)
    labels = np.repeat([0.0, 1.0], len(known))
    widths = (10 * data.shape[1],) * 2
    classifier = MLPClassifier(widths, activation="relu", solver="adam", max_iter=10_000, random_state=seed)
    folds = KFold(n_folds, shuffle=True, random_state=seed)
    return float(cross_val_score(classifier, data, labels, cv=folds, scoring="accuracy").mean())
