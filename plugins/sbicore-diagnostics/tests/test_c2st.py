"""C2ST: known accuracies, the published procedure, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import c2st
from scipy.stats import norm

from sbicore.errors import ConfigError, DataError, ShapeError

S = 1_000
MARGIN = 5 * np.sqrt(0.25 / (2 * S))  # five standard deviations of the share of 2 S coin flips


def draws(seed, *shape, shift=0.0):
    return shift + np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("shape", [(S,), (S, 1), (S, 2)])
def test_equal_distributions_cannot_be_told_apart(shape):
    assert c2st(draws(1, *shape), draws(2, *shape)) == pytest.approx(0.5, abs=MARGIN)


def test_separated_distributions_can():
    assert c2st(draws(1, S, 2, shift=10.0), draws(2, S, 2)) == 1.0


def test_shifted_normals_have_a_known_accuracy():
    """The best classifier cuts half way: its accuracy is Phi(shift / 2)."""
    score = c2st(draws(1, S, shift=1.0), draws(2, S))
    assert score == pytest.approx(norm.cdf(0.5), abs=MARGIN)


def test_it_is_nearly_symmetric():
    one, two = draws(1, S, 2, shift=0.5), draws(2, S, 2)
    assert c2st(one, two) == pytest.approx(c2st(two, one), abs=MARGIN)


def test_the_seed_decides():
    one, two = draws(1, 200, 2), draws(2, 200, 2)
    assert c2st(one, two, seed=3) == c2st(one, two, seed=3) != c2st(one, two, seed=4)


def test_it_is_the_published_procedure():
    """Written out from sbibm 1.1.0: the reference is the first set, gives the scale, and has label 0."""
    from sklearn.model_selection import KFold, cross_val_score
    from sklearn.neural_network import MLPClassifier

    reference, samples = 3 * draws(2, 300, 2) + 5, 3 * draws(1, 300, 2) + 6
    centre, scale = reference.mean(0), reference.std(0, ddof=1)
    data = ((np.concatenate([reference, samples]) - centre) / scale).astype(np.float32)
    classifier = MLPClassifier((20, 20), max_iter=10_000, random_state=1)
    folds = KFold(5, shuffle=True, random_state=1)
    expected = cross_val_score(classifier, data, np.arange(600) >= 300, cv=folds).mean()
    assert c2st(samples, reference) == pytest.approx(expected, abs=1e-12)


def test_scale_matters_without_z_score_only():
    one, two = draws(1, 200, 2), draws(2, 200, 2, shift=1.0)
    assert c2st(one * 1e6, two * 1e6) == pytest.approx(c2st(one, two), abs=MARGIN)
    assert c2st(one, two, z_score=False) == pytest.approx(c2st(one, two), abs=2 * MARGIN)


def test_a_constant_column_is_no_trouble():
    constant = np.ones((200, 1))
    assert 0.3 < c2st(np.hstack([draws(1, 200, 1), constant]), np.hstack([draws(2, 200, 1), constant])) < 0.7


@pytest.mark.parametrize(
    ("error", "message", "samples", "reference", "options"),
    [
        (DataError, "samples is empty", draws(1, 0, 2), draws(1, 5, 2), {}),
        (DataError, "reference has 5 values", draws(1, 5), np.full(5, np.nan), {}),
        (ShapeError, "samples has shape (5, 2), expected (5, 3)", draws(1, 5, 2), draws(1, 5, 3), {}),
        (ShapeError, "expected (6,)", draws(1, 5), draws(1, 6), {}),
        (ShapeError, "reference has shape (5, 1, 1)", draws(1, 5, 1, 1), draws(1, 5, 1, 1), {}),
        (ConfigError, "n_folds", draws(1, 5), draws(2, 5), {"n_folds": 1}),
        (ConfigError, "n_folds", draws(1, 5), draws(2, 5), {"n_folds": 11}),
    ],
)
def test_bad_input(error, message, samples, reference, options):
    with pytest.raises(error) as caught:
        c2st(samples, reference, **options)
    assert message in str(caught.value)
