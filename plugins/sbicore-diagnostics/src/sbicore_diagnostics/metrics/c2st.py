"""Classifier two-sample test: how well can a classifier tell two sets of draws apart?"""

from __future__ import annotations

import numpy as np

from sbicore.errors import ConfigError, DataError

from .._data import Arrays
from .._options import require_seed
from .._two_sets import two_sets

__all__ = ["c2st"]


def c2st(
    samples: Arrays,
    reference: Arrays,
    *,
    method: str = "published",
    seed: int = 1,
    n_folds: int = 5,
    z_score: bool = True,
) -> float:
    """Accuracy of a classifier between two sets of draws; 0.5 for equal distributions, 1 for disjoint ones.

    The definition of the benchmark by Lueckmann et al., arXiv:2101.04653, as its code (sbibm 1.1.0)
    computes it: held-out accuracy, averaged over shuffled folds, of scikit-learn's MLPClassifier with
    two hidden layers of 10 times the dimension, on data scaled by mean and deviation of the reference.

    Args:
        samples: draws to judge, `(S, d)` or `(S,)`, or a mapping as `sample` returns it for one observation.
        reference: draws of the reference, as many.
        method: `"published"`, or `"fast"`: the same networks and folds, trained together in fewer and larger
            steps, within 0.01 of the published score where there are draws enough; but by 0.14 too low for a thin
            posterior that is blurred, so check what matters by the published one.
        seed: for the folds and the classifier.
        n_folds: number of folds, at least 2.
        z_score: whether to scale both sets by mean and standard deviation of the reference; a column
            that is constant there is only centred.

    Raises:
        DataError: not finite, fewer than 2 draws a fold in each set, or the same draws in both sets, which
            leave nothing to hold out; ShapeError where the two shapes differ.
        ConfigError: fewer than 2 folds, another method, or no seed.
    """
    from sklearn.model_selection import KFold, cross_val_score

    if method not in ("published", "fast"):
        raise ConfigError(f"method must be 'published' or 'fast', got {method!r}")
    require_seed(seed, 2**32)
    if n_folds < 2:
        raise ConfigError(f"n_folds must be at least 2, got {n_folds}")
    judged, known = two_sets(samples, reference, z_score=z_score, least=2 * n_folds, equal=True)
    _require_different(judged, known)
    data = np.concatenate([known, judged]).astype(np.float32)
    labels = np.repeat([0.0, 1.0], len(known))
    folds = KFold(n_folds, shuffle=True, random_state=seed)
    if method == "fast":
        from .._networks import held_out_accuracy

        return held_out_accuracy(data, labels, list(folds.split(data)), seed)
    from sklearn.neural_network import MLPClassifier

    widths = (10 * data.shape[1],) * 2
    classifier = MLPClassifier(widths, activation="relu", solver="adam", max_iter=10_000, random_state=seed)
    return float(cross_val_score(classifier, data, labels, cv=folds, scoring="accuracy").mean())


def _require_different(judged: np.ndarray, known: np.ndarray) -> None:
    """Raise DataError if both sets hold the same draws, and not just the same values of discrete parameters."""
    rows = np.unique(known, axis=0)
    if len(rows) == len(known) and np.array_equal(rows, np.unique(judged, axis=0)):
        raise DataError(
            "samples and reference hold the same draws, so that each is known from its twin\n"
            "Compare with draws of their own."
        )
