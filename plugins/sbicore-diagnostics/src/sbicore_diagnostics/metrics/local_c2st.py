"""Local C2ST: is the posterior of this one observation right?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import ConfigError, DataError

from .._calibration import calibration
from .._data import Arrays, finite, require_least, require_shape
from .._options import seeded

__all__ = ["LocalC2ST", "local_c2st"]

WAVES = 100
MOST = 60  # values whose products are features
RIDGE = 1e-2  # for each row
ROUNDING = 1e-9


class LocalC2ST(NamedTuple):
    """How far the classifier is from undecided, on average over the draws, and how often chance alone goes as far."""

    statistic: float
    p_value: float


def local_c2st(
    samples: Arrays,
    targets: Arrays,
    conditions: ArrayLike,
    *,
    observed_samples: Arrays,
    observed: ArrayLike,
    permutations: int = 200,
    classifier: Any = None,
    seed: int = 1,
) -> LocalC2ST:
    """Test of the posterior at one observation, from simulations alone.

    Linhart, Gramfort and Rodrigues, arXiv:2306.03580. A classifier learns to tell one draw for each simulation from
    the true value behind it, both seen beside the data; the statistic is its mean squared distance from 1/2 on draws
    for the observation. The p-value comes from classifiers that learnt the same after draw and truth were exchanged
    at random. As for all that is learnt, a wrong posterior may go unnoticed if the classifier is too weak.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)`; the first of each data set is used.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        conditions: the data of each simulation, or a summary of them, `(N, ...)`.
        observed_samples: draws for the observation, `(S, D)`, or by name `(1, S, *event)` as `sample` returns them.
        observed: the observation, shaped as one row of the conditions, with or without an axis of size 1 before it.
        permutations: how many classifiers give the distribution of chance.
        classifier: any classifier of scikit-learn with `predict_proba`, fitted anew for each permutation; by default
            least squares on linear, quadratic and random wave features, which all permutations share.
        seed: for features and permutations.

    Raises:
        DataError: not finite, fewer than 50 simulations or 10 draws for the observation, or more than 60 parameters
            and conditions for the default classifier.
        ShapeError: axes that do not fit.
        ConfigError: fewer than 19 permutations.
    """
    if permutations < 19:
        raise ConfigError(f"permutations must be at least 19, for a p-value of 0.05, got {permutations}")
    _, drawn, true = calibration(samples, targets, datasets=50)
    judged = _for_observation(observed_samples, samples)
    data, one = finite("conditions", conditions), finite("observed", observed)
    require_shape("conditions", data, (f"{len(true)} data sets", "..."), data.ndim > 0 and len(data) == len(true))
    require_shape("observed", one, data.shape[1:], one.shape in (data.shape[1:], (1, *data.shape[1:])))
    data = data.reshape(len(data), -1)
    here = np.broadcast_to(one.reshape(1, -1), (len(judged), data.shape[1]))
    drawn_pairs, true_pairs = np.hstack([drawn[:, 0], data]), np.hstack([true, data])
    query = np.hstack([judged, here])

    if classifier is None and query.shape[1] > MOST:
        raise DataError(
            f"Parameters and conditions have {query.shape[1]} values together; the default classifier takes {MOST}\n"
            "Give a summary of the conditions, or a classifier: classifier=MLPClassifier(early_stopping=True)"
        )
    rng = seeded(seed)
    signs = np.column_stack([np.ones(len(true)), rng.choice([-1.0, 1.0], (len(true), permutations))])
    if classifier is None:
        decisions = _least_squares(drawn_pairs, true_pairs, query, signs, rng)
    else:
        decisions = _fitted(drawn_pairs, true_pairs, query, signs, classifier)
    value, *chance = (decisions**2).mean(axis=0)
    return LocalC2ST(float(value), float((1 + (np.array(chance) >= value * (1 - ROUNDING)).sum()) / (1 + permutations)))


def _least_squares(
    drawn: np.ndarray, true: np.ndarray, query: np.ndarray, signs: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Distances from 1/2 at the query `(S, B)`, for each column of signs `(N, B)` that exchanges pairs where negative.

    Labels are +1/2 and -1/2, so that only differences of features within a pair count.
    """
    both = np.concatenate([drawn, true])
    centre, scale = both.mean(axis=0), both.std(axis=0)
    scale = np.where(np.ptp(both, axis=0) > 0, scale, 1.0)
    size = both.shape[1]
    waves, phases = rng.normal(size=(size, WAVES)) / np.sqrt(size), rng.uniform(0, 2 * np.pi, WAVES)
    rows, columns = np.triu_indices(size)

    def features(values: np.ndarray) -> np.ndarray:
        x = (values - centre) / scale
        return np.hstack([x, x[:, rows] * x[:, columns], np.sqrt(2 / WAVES) * np.cos(x @ waves + phases)])

    first, second = features(drawn), features(true)
    mean = (first.mean(axis=0) + second.mean(axis=0)) / 2
    first, second = first - mean, second - mean
    gram = first.T @ first + second.T @ second
    gram[np.diag_indices_from(gram)] += RIDGE * 2 * len(drawn)
    return (features(query) - mean) @ np.linalg.solve(gram, (first - second).T @ signs / 2)


def _fitted(drawn: np.ndarray, true: np.ndarray, query: np.ndarray, signs: np.ndarray, classifier: Any) -> np.ndarray:
    """The same from a classifier that is fitted for each column of signs."""
    from sklearn.base import clone

    both, decisions = np.concatenate([drawn, true]), []
    for sign in signs.T:
        labels = np.concatenate([sign, -sign]) > 0
        decisions.append(clone(classifier).fit(both, labels).predict_proba(query)[:, 1] - 0.5)
    return np.stack(decisions, axis=1)


def _for_observation(observed: Arrays, samples: Arrays) -> np.ndarray:
    """Draws for the observation as `(S, D)`, columns in the order of samples."""
    if isinstance(observed, Mapping) != isinstance(samples, Mapping):
        raise DataError("samples and observed_samples must both be arrays, or both mappings of names to arrays")
    given: dict[str, Any] = dict(samples) if isinstance(samples, Mapping) else {"": samples}
    here: dict[str, Any] = dict(observed) if isinstance(observed, Mapping) else {"": observed}
    columns: list[np.ndarray] = []
    for name, values in given.items():
        if name not in here:
            raise DataError(f"observed_samples has no {name!r}\nThere are: {', '.join(map(repr, here))}", variable=name)
        label, event = f"observed_samples{f'[{name!r}]' if name else ''}", np.shape(values)[2:]
        array = finite(label, here[name])
        array = array[0] if array.ndim == len(event) + 2 and len(array) == 1 else array
        draws = len(columns[0]) if columns else len(array) if array.ndim else 0
        require_shape(label, array, (f"{draws or 'S'} draws", *event), array.shape == (draws, *event))
        columns.append(array.reshape(draws, -1))
    require_least(len(columns[0]), 10, "draws for the observation")
    return np.concatenate(columns, axis=1)
