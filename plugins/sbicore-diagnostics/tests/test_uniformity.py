"""The exact test of uniformity behind ranks and coverage."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sbicore_diagnostics import calibration_log_gamma, expected_coverage, hpd_coverage, sbc
from sbicore_diagnostics._simultaneous import band, counts_below, critical, discrepancy, p_values
from scipy.stats import binom, binomtest

from sbicore.errors import ConfigError, DataError


@pytest.mark.parametrize(("size", "draws"), [(1, 3), (3, 3), (4, 2), (5, 4)])
def test_p_values_are_those_of_all_possible_ranks(size, draws):
    points = np.arange(1, draws + 1) / (draws + 1)
    every = np.array(list(itertools.product(range(draws + 1), repeat=size))).T
    counts = np.stack([(every < i).sum(axis=0) for i in range(1, draws + 1)])
    statistics = discrepancy(counts, size, points)
    expected = [(statistics <= value * (1 + 1e-9)).mean() for value in statistics]
    assert p_values(statistics, size, points) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("count", [0, 3, 10, 17, 20])
def test_one_point_is_a_binomial_test(count):
    """At 1/2, where both tails are equal."""
    value = p_values(discrepancy(np.array([[count]]), 20, np.array([0.5])), 20, np.array([0.5]))
    assert value[0] == pytest.approx(binomtest(count, 20).pvalue, rel=1e-9)


@pytest.mark.parametrize("size", [15, 300, 20_000])
def test_bands_hold_as_often_as_they_say(size):
    points = np.arange(1, 51) / 51
    lower, upper = band(size, points, 0.9)
    counts = np.random.default_rng(1).multinomial(size, np.full(51, 1 / 51), 20_000)[:, :-1].cumsum(axis=1) / size
    inside = ((counts >= lower) & (counts <= upper)).all(axis=1).mean()
    level = critical(size, points, 0.1)
    exact = 1 - p_values(np.array([level]), size, points)[0]
    assert inside == pytest.approx(exact, abs=4 * np.sqrt(0.09 / 20_000))
    assert 0.9 <= exact < 0.95


def test_points_need_not_be_evenly_spaced():
    points = np.array([0.01, 0.02, 0.5, 0.97])
    values = np.random.default_rng(2).random((30, 2_000))
    tests = p_values(discrepancy(counts_below(values, points), 30, points), 30, points)
    assert (tests <= 0.1).mean() == pytest.approx(0.1, abs=0.03)


def test_the_band_of_one_point_is_a_binomial_interval():
    (lower,), (upper,) = band(100, np.array([0.3]), 0.95)
    inside = binom.cdf(100 * upper, 100, 0.3) - binom.cdf(100 * lower - 1, 100, 0.3)
    assert 0.95 <= inside < 0.95 + binom.pmf([100 * lower, 100 * upper], 100, 0.3).max()


# sbc


def test_ranks_count_the_draws_below():
    samples = np.tile(np.arange(20.0), (10, 1))[..., None]
    targets = np.array([-1, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 10.5, 18.5, 30])[:, None]
    result = sbc(samples, targets)
    assert result.ranks[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 11, 19, 20]
    assert result.ecdf[:, 0] == pytest.approx([(result.ranks < i).mean() for i in range(1, 21)])


def test_equal_values_are_ordered_by_lot():
    """Bernoulli draws and truths: calibrated, though a count of smaller draws has only two values."""
    rng = np.random.default_rng(1)
    samples, targets = rng.integers(0, 2, (2_000, 40, 5)), rng.integers(0, 2, (2_000, 5))
    result = sbc(samples, targets)
    assert result.p_values.min() > 0.05
    assert (sbc(samples, targets, seed=2).ranks != result.ranks).any()
    assert (sbc(samples, targets, seed=1).ranks == result.ranks).all()


def test_names_come_from_the_mapping(posteriors):
    samples, targets = posteriors(1, 30, 20, 5)
    named = sbc(
        {"b": samples[..., :4].reshape(30, 20, 2, 2), "a": samples[..., 4]},
        {"a": targets[..., 4], "x": np.zeros((3, 3)), "b": targets[..., :4].reshape(30, 2, 2)},
    )
    assert named.names == ("b[0,0]", "b[0,1]", "b[1,0]", "b[1,1]", "a")
    assert (named.ranks == sbc(samples, targets).ranks).all()
    assert sbc(samples, targets).names == ("[0]", "[1]", "[2]", "[3]", "[4]")
    assert sbc(samples[..., 0], targets[..., 0]).ranks.shape == (30, 1)


def test_the_curve_leaves_the_band_exactly_if_the_p_value_is_small(posteriors):
    result = sbc(*posteriors(1, 100, 20, 200, deviation=0.85))
    outside = ((result.ecdf < result.lower[:, None]) | (result.ecdf > result.upper[:, None])).any(axis=0)
    assert 0.1 < outside.mean() < 0.9
    assert (outside == (result.p_values <= 0.05)).all()


def test_the_sign_of_log_gamma_is_that_of_the_band(posteriors):
    samples, targets = posteriors(1, 100, 20, 200, deviation=0.85)
    negative = calibration_log_gamma(samples, targets) <= 0
    assert (negative == (sbc(samples, targets).p_values <= 0.05)).all()


def test_log_gamma_by_hand():
    """All ten ranks are 0: gamma is twice the probability of ten below 1/11 of the way."""
    samples, targets = np.ones((10, 10)), np.zeros(10)
    points = np.arange(1, 11) / 11
    expected = np.log(2 * points[0] ** 10) - np.log(critical(10, points, 0.05))
    assert calibration_log_gamma(samples, targets) == pytest.approx([expected])


def test_many_draws_are_tested_at_a_thousand_points(posteriors):
    result = sbc(*posteriors(1, 20, 3_000, 1))
    assert len(result.points) == 1_000
    assert result.points * 3_001 == pytest.approx((result.points * 3_001).round(), rel=1e-12)


# coverage


def test_coverage_is_that_of_ranks():
    """Truths in the middle of all draws lie inside every interval, truths outside of them in none but the widest."""
    samples = np.tile(np.linspace(-1, 1, 99), (50, 1))
    middle = expected_coverage(samples, np.full(50, 0.001), levels=[0.02, 0.5])
    outside = expected_coverage(samples, np.full(50, 5.0), levels=[0.5, 0.98])
    assert middle.coverage.tolist() == [[1], [1]]
    assert outside.coverage.tolist() == [[0], [0]]
    assert max(middle.p_values, outside.p_values) < 1e-9


def test_highest_densities_are_inside_first():
    densities = np.tile(np.arange(99.0), (50, 1))
    top, bottom = (hpd_coverage(densities, np.full(50, value), levels=[0.02, 0.98]) for value in (98.5, -0.5))
    assert top.coverage.tolist() == [[1], [1]]
    assert bottom.coverage.tolist() == [[0], [0]]


def test_truths_without_density_are_outside():
    densities = np.tile(np.arange(99.0), (50, 1))
    assert hpd_coverage(densities, np.full(50, -np.inf), levels=[0.98]).coverage == 0
    with pytest.raises(DataError, match="samples_log_prob has 50 values"):
        hpd_coverage(np.where(densities == 3, np.inf, densities), np.zeros(50))


def test_narrow_posteriors_cover_too_little(posteriors):
    assert expected_coverage(*posteriors(1, 500, 50, 1, deviation=0.5), levels=[0.5]).coverage[0, 0] < 0.3
    assert expected_coverage(*posteriors(1, 500, 50, 1, deviation=2.0), levels=[0.5]).coverage[0, 0] > 0.7


@pytest.mark.parametrize("levels", [[], [0.5, 0.5], [0.0, 0.5], [0.5, 1.0], [0.9, 0.5], 0.5])
def test_levels_are_checked(levels, posteriors):
    with pytest.raises(ConfigError, match="levels"):
        expected_coverage(*posteriors(1, 20, 20, 1), levels=levels)


@pytest.mark.parametrize("value", [0, 1, 95, np.nan])
def test_probabilities_are_checked(value, posteriors):
    data = posteriors(1, 20, 20, 1)
    for metric, option in (sbc, "confidence"), (expected_coverage, "confidence"), (calibration_log_gamma, "quantile"):
        with pytest.raises(ConfigError, match=option):
            metric(*data, **{option: value})
