"""NRMSE, contraction, z-score and negative log density: values by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import negative_log_density, nrmse, posterior_contraction, posterior_z_score

from sbicore.errors import ConfigError, DataError, ShapeError

SAMPLES = np.array([[1.0, 3.0], [2.0, 8.0]])  # two data sets, two draws
TARGETS = np.array([1.0, 4.0])


def test_root_mean_square_error_by_hand():
    """Errors are 0, 2, -2 and 4."""
    assert nrmse(SAMPLES, TARGETS, normalize=None) == pytest.approx([np.sqrt(6)])
    assert nrmse(SAMPLES, TARGETS, normalize="range") == pytest.approx([np.sqrt(6) / 3])
    assert nrmse(SAMPLES, TARGETS, normalize="sd") == pytest.approx([np.sqrt(6) / np.sqrt(4.5)])
    assert nrmse(SAMPLES, TARGETS) == pytest.approx([np.sqrt(6) / 3])


def test_the_unit_is_the_error_of_guessing_another_truth():
    truths = np.random.default_rng(1).gamma(2.0, size=(50, 3))
    guesses = np.stack([np.delete(truths, n, axis=0) for n in range(50)])
    assert nrmse(guesses, truths) == pytest.approx([1, 1, 1])


def test_an_exact_posterior_has_the_ratio_of_deviations():
    rng = np.random.default_rng(1)
    truths = rng.normal(size=40_000)
    data = truths + rng.normal(size=40_000)
    samples = data[:, None] / 2 + np.sqrt(0.5) * rng.normal(size=(40_000, 5))
    assert nrmse(samples, truths) == pytest.approx([np.sqrt(0.5)], abs=0.01)
    assert posterior_contraction(samples, truths).mean() == pytest.approx(0.5, abs=0.01)


def test_contraction_by_hand():
    """Variances are 2 and 18, that of the truths 4.5."""
    assert posterior_contraction(SAMPLES, TARGETS) == pytest.approx(np.array([[1 - 2 / 4.5], [1 - 18 / 4.5]]))


def test_z_scores_by_hand():
    assert posterior_z_score(SAMPLES, TARGETS) == pytest.approx(np.array([[1 / np.sqrt(2)], [1 / np.sqrt(18)]]))


def test_negative_log_density_by_hand():
    result = negative_log_density([-1.0, -2.0, 0.0])
    assert result == pytest.approx((1.0, 1 / np.sqrt(3)))


@pytest.mark.parametrize(
    ("error", "message", "values"),
    [
        (DataError, "2 of 3 true values have density 0", [-np.inf, 1.0, -np.inf]),
        (DataError, "1 values of 2 that are NaN", [np.nan, 1.0]),
        (DataError, "At least 2", [1.0]),
        (DataError, "empty", []),
        (ShapeError, "(N data sets,)", [[1.0, 2.0]]),
    ],
)
def test_densities_are_checked(error, message, values):
    with pytest.raises(error) as caught:
        negative_log_density(values)
    assert message in str(caught.value)


def test_constant_truths_give_no_scale():
    samples, targets = np.zeros((5, 3, 2)), np.stack([np.arange(5), np.ones(5)], axis=1)
    for metric in nrmse, posterior_contraction:
        with pytest.raises(DataError, match=r"True values of \[1\] are the same"):
            metric(samples, targets)
    assert nrmse(samples, targets, normalize=None) == pytest.approx([np.sqrt(6), 1])


def test_draws_that_are_all_equal_have_no_z_score():
    samples = np.random.default_rng(1).normal(size=(5, 3, 2))
    samples[2:4, :, 1] = 7.0
    with pytest.raises(DataError, match=r"All draws of \[1\] are equal in 2 data sets, first in number 2"):
        posterior_z_score(samples, np.zeros((5, 2)))


def test_ways_to_normalise_are_checked():
    with pytest.raises(ConfigError, match="'iqr'"):
        nrmse(SAMPLES, TARGETS, normalize="iqr")


def test_one_of_each_is_enough_without_a_scale():
    assert nrmse([[3.0]], [1.0], normalize=None) == pytest.approx([2.0])
    assert posterior_z_score([[1.0, 3.0]], [2.0]) == pytest.approx(np.zeros((1, 1)))
