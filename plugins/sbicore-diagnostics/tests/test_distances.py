"""MMD and sliced Wasserstein distance: values by hand, known distances, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import mmd, mmd_test, sliced_wasserstein
from scipy.stats import wasserstein_distance

from sbicore.errors import ConfigError, DataError, ShapeError


def draws(seed, *shape, shift=0.0):
    return shift + np.random.default_rng(seed).normal(size=shape)


# mmd


def test_mmd_by_hand():
    """Distances are 1 and 2 within the sets; 1, 1, 2 and 0 across them."""
    one, two = np.exp(-0.5), np.exp(-2)
    expected = one + two - 2 * (one + one + two + 1) / 4
    assert mmd([0.0, 1.0], [-1.0, 1.0], bandwidth=1.0, z_score=False) == pytest.approx(expected)


def test_mmd_of_many_draws_is_the_double_sum():
    one, two = draws(1, 700, 3), draws(2, 600, 3, shift=0.3)

    def kernel(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(axis=2) / 2 / 1.5**2)

    within = [(kernel(a, a).sum() - len(a)) / len(a) / (len(a) - 1) for a in (one, two)]
    expected = sum(within) - 2 * kernel(one, two).mean()
    assert mmd(one, two, bandwidth=1.5, z_score=False) == pytest.approx(expected, rel=1e-9)


def test_mmd_of_normals_is_the_known_one():
    """N(0, 1) and N(2, 1) with bandwidth 1: kernel and differences are normal, so that all means are known."""
    expected = 2 / np.sqrt(3) * (1 - np.exp(-4 / 6))
    assert mmd(draws(1, 3_000, shift=2.0), draws(2, 3_000), bandwidth=1.0, z_score=False) == pytest.approx(
        expected, abs=0.03
    )


def test_mmd_is_unbiased():
    values = [mmd(draws([1, i], 20, 2), draws([2, i], 30, 2), bandwidth=1.0, z_score=False) for i in range(2_000)]
    assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / np.sqrt(2_000))
    assert np.mean(np.array(values) < 0) > 0.3


def test_the_bandwidth_is_the_median_distance():
    one, two = np.array([0.0, 1.0]), np.array([3.0, 7.0])  # distances 1 2 3 4 6 7
    assert mmd(one, two, z_score=False) == mmd(one, two, bandwidth=3.5, z_score=False)


def test_the_scale_is_that_of_the_reference():
    one, two = draws(1, 50, 2, shift=0.5), draws(2, 60, 2)
    scale = np.array([1e-6, 1e6])
    assert mmd(scale * one + 5, scale * two + 5) == pytest.approx(mmd(one, two))
    assert sliced_wasserstein(scale * one, scale * two) == pytest.approx(sliced_wasserstein(one, two))


def test_separated_sets_have_the_smallest_p_value():
    assert mmd_test(draws(1, 30, shift=9.0), draws(2, 40), permutations=99).p_value == 0.01


def test_the_test_has_the_value_of_mmd():
    one, two = draws(1, 50, 2), draws(2, 60, 2)
    assert mmd_test(one, two).value == pytest.approx(mmd(one, two), abs=1e-12)
    assert mmd_test(one, two, seed=3) == mmd_test(one, two, seed=3)


def test_the_same_set_twice_is_as_close_as_can_be():
    one = draws(1, 50, 2)
    assert mmd(one, one) < 0
    assert mmd_test(one, one).p_value > 0.9
    assert sliced_wasserstein(one, one) == 0


@pytest.mark.parametrize(
    ("error", "message", "samples", "reference", "options"),
    [
        (DataError, "leaves no bandwidth", np.ones(9), np.ones(9), {}),
        (DataError, "At least 5", draws(1, 4), draws(2, 9), {}),
        (DataError, "reference has 1 values of 9", draws(1, 9), np.r_[np.nan, draws(2, 8)], {}),
        (ShapeError, "samples has shape (9, 2), expected (S, 3)", draws(1, 9, 2), draws(2, 8, 3), {}),
        (ShapeError, "reference has shape (2, 2, 2), expected (S, d)", draws(1, 9), draws(1, 2, 2, 2), {}),
        (DataError, "reference has no 'b'", {"b": draws(1, 9)}, {"a": draws(1, 9)}, {}),
        (ConfigError, "bandwidth", draws(1, 9), draws(2, 9), {"bandwidth": 0.0}),
        (ConfigError, "bandwidth", draws(1, 9), draws(2, 9), {"bandwidth": np.nan}),
        (ConfigError, "permutations", draws(1, 9), draws(2, 9), {"permutations": 5}),
    ],
)
def test_mmd_refuses(error, message, samples, reference, options):
    with pytest.raises(error) as caught:
        mmd_test(samples, reference, **options)
    assert message in str(caught.value)


def test_mmd_needs_two_draws():
    with pytest.raises(DataError, match="At least 2"):
        mmd([1.0], [1.0, 2.0])


# sliced Wasserstein


@pytest.mark.parametrize("sizes", [(50, 50), (30, 45), (7, 100), (1, 3)])
def test_in_one_dimension_it_is_the_wasserstein_distance(sizes):
    one, two = draws(1, sizes[0]), draws(2, sizes[1], shift=0.7)
    assert sliced_wasserstein(one, two, order=1, z_score=False) == pytest.approx(wasserstein_distance(one, two))


def test_order_two_by_hand():
    """Sorted pairs are (0, 1) and (2, 5)."""
    assert sliced_wasserstein([2.0, 0.0], [1.0, 5.0], z_score=False) == pytest.approx(np.sqrt(5))


def test_a_shift_is_seen_from_all_sides():
    """Squared, its projections have the mean length² / d."""
    one = draws(1, 100, 4)
    shifted = one + np.array([3.0, 0, 0, 0])
    assert sliced_wasserstein(shifted, one, projections=20_000, z_score=False) == pytest.approx(1.5, abs=0.02)


def test_mappings_are_compared_name_by_name():
    one, two = draws(1, 1, 50, 2), draws(2, 1, 50, 2)
    named = sliced_wasserstein({"b": one[..., 0], "a": one[..., 1:]}, {"a": two[..., 1:], "b": two[..., 0], "c": [1]})
    assert named == sliced_wasserstein(one[0], two[0])


@pytest.mark.parametrize("options", [{"projections": 0}, {"order": 0.5}, {"order": np.nan}])
def test_options_of_slices_are_checked(options):
    with pytest.raises(ConfigError, match="projections and order"):
        sliced_wasserstein(draws(1, 5), draws(2, 5), **options)
