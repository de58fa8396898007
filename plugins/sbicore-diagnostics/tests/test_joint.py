"""TARP and local C2ST: what they see, what they leave unseen, and bad input."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import local_c2st, sbc, tarp
from sbicore_diagnostics._simultaneous import discrepancy, p_values

from sbicore.errors import ConfigError, DataError, ShapeError

# tarp


def test_a_point_to_the_left_of_all_gives_ranks(posteriors):
    """Balls around it hold what lies below, so that the place of the truth is that of its rank."""
    samples, targets = posteriors(1, 300, 19, 1)
    curve = tarp(samples, targets, references=np.full((300, 1), -1e6), levels=np.arange(1, 20) / 20)
    assert curve.coverage == pytest.approx(sbc(samples, targets).ecdf)


def test_points_on_both_sides_hide_a_shift_from_the_curve_alone(posteriors):
    results = [tarp(*posteriors(seed, 500, 50, 1, shift=0.3)) for seed in range(20)]
    points = results[0].levels
    counts = np.hstack([500 * result.coverage for result in results]).round()
    assert np.median(p_values(discrepancy(counts, 500, points), 500, points)) > 0.1
    assert max(result.p_values[0] for result in results) < 1e-3


def test_narrow_balls_hold_too_little_and_wide_ones_too_much(posteriors):
    narrow = tarp(*posteriors(1, 1_000, 50, 2, deviation=0.5), levels=[0.1, 0.9]).coverage
    wide = tarp(*posteriors(1, 1_000, 50, 2, deviation=2.0), levels=[0.1, 0.9]).coverage
    assert narrow[0, 0] > 0.15 and narrow[1, 0] < 0.85
    assert wide[0, 0] < 0.07 and wide[1, 0] > 0.93


def test_p_values_of_tarp_are_uniform_at_most(posteriors):
    """Few draws, parameters of very different scale, one discrete and one constant."""
    found = []
    for seed in range(400):
        samples, targets = posteriors(seed, 40, 10, 4)
        rng = np.random.default_rng([8, seed])
        samples[..., 1], targets[..., 1] = rng.integers(0, 2, (40, 10)), rng.integers(0, 2, 40)
        samples[..., 2], targets[..., 2] = 5.0, 5.0
        samples[..., 3], targets[..., 3] = 1e9 * samples[..., 3], 1e9 * targets[..., 3]
        found.append(tarp(samples, targets, seed=seed).p_values[0])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= level) <= level + 3 * np.sqrt(level * (1 - level) / 400)
    assert np.mean(np.array(found) <= 0.5) > 0.3


def test_directions_do_not_tell_the_truth():
    """With few draws and a point amid them, a centre of the draws alone would."""
    found = []
    for seed in range(100):
        values = np.random.default_rng(seed).normal(size=(5_000, 11, 1))
        result = tarp(values[:, 1:], values[:, 0], references=np.full((5_000, 1), 0.3), seed=seed)
        found.append(result.p_values[0])
    assert np.mean(np.array(found) <= 0.1) == pytest.approx(0.1, abs=0.08)


def test_tarp_needs_more_data_sets_than_parameters(posteriors):
    with pytest.raises(DataError, match="At least 16"):
        tarp(*posteriors(1, 12, 10, 15))
    with pytest.raises(ShapeError, match="targets"):
        tarp(*posteriors(1, 12, 10, 2), references=np.zeros((12, 3)))


# local C2ST


def problem(seed, size, *, wrong_above=np.inf):
    """theta | x is N(x / 2, 1 / 2); draws are twice as wide where x is above the limit."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(size, 1))
    x = theta + rng.normal(size=(size, 1))
    draws = x / 2 + np.sqrt(0.5) * np.where(x > wrong_above, 2.0, 1.0) * rng.normal(size=(size, 1))
    return draws[:, None], theta, x


def at(seed, x, deviation=1.0):
    return x / 2 + deviation * np.sqrt(0.5) * np.random.default_rng(seed).normal(size=(300, 1))


def test_it_is_local():
    draws, theta, x = problem(1, 4_000, wrong_above=0.0)
    wrong = local_c2st(draws, theta, x, observed_samples=at(1, 1.5, 2.0), observed=[1.5])
    right = local_c2st(draws, theta, x, observed_samples=at(1, -1.5), observed=[-1.5])
    assert wrong.p_value < 0.01
    assert wrong.statistic > 5 * right.statistic


def test_modes_that_are_missing_are_found():
    rng = np.random.default_rng(1)
    theta, x = rng.choice([-1.0, 1.0], (1_000, 1)) + 0.1 * rng.normal(size=(1_000, 1)), rng.normal(size=(1_000, 1))
    draws = 0.1 * rng.normal(size=(1_000, 1, 1)) + 1
    here = 0.1 * rng.normal(size=(100, 1)) + 1
    assert local_c2st(draws, theta, x, observed_samples=here, observed=x[0]).p_value < 0.01


def test_another_classifier_is_fitted_anew():
    from sklearn.linear_model import LogisticRegression

    draws, theta, x = problem(1, 300)
    options = {"observed": [0.0], "permutations": 19, "classifier": LogisticRegression()}
    fitted = LogisticRegression().fit(
        np.hstack([np.vstack([draws[:, 0], theta]), np.vstack([x, x])]), np.arange(600) < 300
    )
    chances = fitted.predict_proba(np.hstack([at(1, 0.0), np.zeros((300, 1))]))[:, 1]
    result = local_c2st(draws, theta, x, observed_samples=at(1, 0.0), **options)
    assert result.statistic == pytest.approx(((chances - 0.5) ** 2).mean())
    assert local_c2st(draws, theta, x, observed_samples=at(1, 0.0), **options).p_value > 0.05
    assert local_c2st(draws + 0.5, theta, x, observed_samples=at(1, 0.0) + 0.5, **options).p_value == 0.05


def test_draws_and_truths_are_alike():
    draws, theta, x = problem(1, 100)
    options = {"observed_samples": at(1, 0.0), "observed": [0.0]}
    exchanged = local_c2st(theta[:, None], draws[:, 0], x, **options)
    assert local_c2st(draws, theta, x, **options).statistic == pytest.approx(exchanged.statistic)
    assert local_c2st(theta[:, None], theta, x, **options) == (0.0, 1.0)


def test_units_do_not_matter():
    draws, theta, x = problem(1, 100)
    one = local_c2st(draws, theta, x, observed_samples=at(1, 0.0), observed=[0.0])
    two = local_c2st(1e6 * draws, 1e6 * theta, x / 9 - 3, observed_samples=1e6 * at(1, 0.0), observed=[-3.0])
    assert one == pytest.approx(two)


def test_a_constant_condition_is_no_trouble():
    draws, theta, x = problem(1, 1_000)
    x = np.hstack([x, np.ones_like(x)])
    assert local_c2st(draws, theta, x, observed_samples=at(1, 0.0), observed=[0.0, 1.0]).p_value > 0.05


def test_dicts_as_sample_returns_them():
    draws, theta, x = problem(1, 60)
    pair = np.concatenate([draws, -draws], axis=2), np.concatenate([theta, -theta], axis=1)
    arrays = local_c2st(*pair, x, observed_samples=np.hstack([at(1, 0.0), -at(1, 0.0)]), observed=[0.0])
    named = local_c2st(
        {"b": draws[..., 0], "a": -draws},
        {"a": -theta, "b": theta[:, 0], "x": x},
        x,
        observed_samples={"a": -at(1, 0.0)[None], "b": at(1, 0.0)[None, :, 0]},
        observed=[[0.0]],
    )
    assert named == arrays


@pytest.mark.parametrize(
    ("error", "message", "change"),
    [
        (DataError, "At least 50", {"samples": np.ones((9, 2, 1)), "targets": np.ones((9, 1))}),
        (DataError, "At least 10", {"observed_samples": np.ones((9, 1))}),
        (ShapeError, "conditions has shape (59, 1), expected (60 data sets, ...)", {"conditions": np.ones((59, 1))}),
        (ShapeError, "observed has shape (2,), expected (1,)", {"observed": [0.0, 0.0]}),
        (
            ShapeError,
            "observed_samples has shape (300, 2), expected (300 draws, 1)",
            {"observed_samples": np.ones((300, 2))},
        ),
        (DataError, "observed_samples must both", {"observed_samples": {"a": np.ones((300, 1))}}),
        (DataError, "conditions has 60 values", {"conditions": np.full((60, 1), np.nan)}),
        (DataError, "61 values together", {"conditions": np.ones((60, 60)), "observed": np.ones(60)}),
        (ConfigError, "at least 19", {"permutations": 10}),
    ],
)
def test_local_c2st_refuses(error, message, change):
    draws, theta, x = problem(1, 60)
    given = {"samples": draws, "targets": theta, "conditions": x, "observed_samples": at(1, 0.0), "observed": [0.0]}
    with pytest.raises(error) as caught:
        local_c2st(**{**given, **change})
    assert message in str(caught.value)


def test_names_that_observed_samples_lack():
    draws, theta, x = problem(1, 60)
    with pytest.raises(DataError, match="observed_samples has no 'a'\nThere are: 'b'"):
        local_c2st({"a": draws}, {"a": theta}, x, observed_samples={"b": at(1, 0.0)}, observed=[0.0])
