"""C2ST: known accuracies, the published procedure, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sbicore_diagnostics import c2st
from scipy.stats import norm

from sbicore.errors import ConfigError, DataError, ShapeError

S = 1_000
MARGIN = 5 * np.sqrt(0.25 / (2 * S))  # five standard deviations of the share of 2 S coin flips


def draws(seed, *shape, shift=0.0):
    return shift + np.random.default_rng(seed).normal(size=shape)


each_method = pytest.mark.parametrize("method", ["published", "fast"])


@each_method
@pytest.mark.parametrize("shape", [(S,), (S, 1), (S, 2)])
def test_equal_distributions_cannot_be_told_apart(shape, method):
    assert c2st(draws(1, *shape), draws(2, *shape), method=method) == pytest.approx(0.5, abs=MARGIN)


@each_method
def test_separated_distributions_can(method):
    assert c2st(draws(1, S, 2, shift=10.0), draws(2, S, 2), method=method) == 1.0


@each_method
def test_shifted_normals_have_a_known_accuracy(method):
    """The best classifier cuts half way: its accuracy is Phi(shift / 2)."""
    score = c2st(draws(1, S, shift=1.0), draws(2, S), method=method)
    assert score == pytest.approx(norm.cdf(0.5), abs=MARGIN)


@each_method
def test_it_is_nearly_symmetric(method):
    one, two = draws(1, S, 2, shift=0.5), draws(2, S, 2)
    assert c2st(one, two, method=method) == pytest.approx(c2st(two, one, method=method), abs=MARGIN)


@each_method
def test_the_seed_decides(method):
    one, two = draws(1, 40, 2), draws(2, 40, 2)
    scores = [c2st(one, two, method=method, seed=seed) for seed in (3, 3, 4)]
    assert scores[0] == scores[1] != scores[2]


@pytest.mark.slow
def test_fast_fits_chance_as_much_as_published():
    """In 10 dimensions both learn 200 draws by heart; the best classifier would have an accuracy of 0.68.

    Their difference has a deviation of 0.014 from one pair of sets to the next, so of 0.006 over five.
    """
    scores = {method: [] for method in ("published", "fast")}
    for seed in range(5):
        one, two = draws([1, seed], 200, 10, shift=0.3), draws([2, seed], 200, 10)
        for method, values in scores.items():
            values.append(c2st(one, two, method=method))
    assert np.mean(scores["fast"]) == pytest.approx(np.mean(scores["published"]), abs=0.03)


def test_fast_leaves_nothing_of_torch_changed():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    with torch.inference_mode():
        inside = c2st(draws(1, 50), draws(2, 50), method="fast")
        assert torch.rand(1) == expected
    assert inside == c2st(draws(1, 50), draws(2, 50), method="fast")


def test_dicts_as_sample_returns_them():
    one, two = draws(1, 1, 50, 2), draws(2, 1, 50, 2)
    named = {"b": one[..., 1:], "a": one[..., 0]}, {"a": two[0, :, 0], "b": two[0, :, 1:], "x": [1]}
    assert c2st(*named, method="fast") == c2st(one[0, :, ::-1], two[0, :, ::-1], method="fast")


@each_method
@pytest.mark.parametrize(("size", "n_folds"), [(10, 5), (4, 2)])
def test_two_draws_a_fold_are_enough(method, size, n_folds):
    """Also if a fold holds one of the sets out and trains on the other alone, as with seed 3 and 2 folds."""
    score = c2st(draws(1, size), draws(2, size), method=method, n_folds=n_folds, seed=3)
    assert 0 <= score <= 1


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
    constant = np.full((200, 1), 0.1)
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
        (DataError, "There are 5 draws in a set\nAt least 10", draws(1, 5), draws(2, 5), {}),
        (DataError, "At least 22", draws(1, 5), draws(2, 5), {"n_folds": 11}),
        (DataError, "the same draws", draws(1, 20, 2), draws(1, 20, 2)[::-1], {}),
        (ConfigError, "'slow'", draws(1, 20), draws(2, 20), {"method": "slow"}),
    ],
)
def test_bad_input(error, message, samples, reference, options):
    with pytest.raises(error) as caught:
        c2st(samples, reference, **options)
    assert message in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, True, "one"])
def test_seeds_that_are_none(seed):
    with pytest.raises(ConfigError, match="seed must be a whole number >= 0"):
        c2st(draws(1, 20), draws(2, 20), seed=seed)


def test_complex_draws_are_refused():
    with pytest.raises(DataError, match="samples must be an array of numbers: they are complex"):
        c2st(1j * draws(1, 20), draws(2, 20))
