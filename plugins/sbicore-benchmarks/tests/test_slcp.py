"""SLCP, plain and with distractors, against scipy's normal distribution and its own symmetries."""

import numpy as np
import pytest
from sbicore_benchmarks import SLCP, SLCPDistractors
from sbicore_benchmarks.simulators.slcp_distractors import FACTORS, INFORMATIVE, LOCATIONS
from scipy import stats

PLAIN, HIDDEN = SLCP().build(), SLCPDistractors().build()


def test_the_likelihood_is_that_of_four_normal_pairs():
    data = SLCP().sample(20, seed=1)
    theta, x = (data[name].astype(float) for name in ("parameters", "observables"))
    for row, pairs in zip(theta, x.reshape(-1, 4, 2), strict=True):
        s, t, rho = row[2] ** 2, row[3] ** 2, np.tanh(row[4])
        covariance = [[s**2 + 1e-6, rho * s * t], [rho * s * t, t**2 + 1e-6]]
        expected = stats.multivariate_normal(row[:2], covariance).logpdf(pairs).sum()
        assert PLAIN.log_likelihood(row, pairs.ravel()) == pytest.approx(expected, rel=1e-6)


def test_data_are_white_by_the_parameters_that_made_them():
    data = SLCP().sample(5000, seed=2)
    theta, x = (data[name].astype(np.float64) for name in ("parameters", "observables"))
    x = x.reshape(-1, 4, 2)
    u = (x[..., 0] - theta[:, [0]]) / theta[:, [2]] ** 2
    v = (x[..., 1] - theta[:, [1]]) / theta[:, [3]] ** 2
    rho = np.tanh(theta[:, [4]])
    usable = (np.abs(theta[:, 2:4]) > 0.3).all(axis=1) & (np.abs(rho[:, 0]) < 0.95)
    white = np.stack([u, (v - rho * u) / np.sqrt(1 - rho**2)])[:, usable].reshape(2, -1)
    assert white.mean(axis=1) == pytest.approx(0.0, abs=0.05)
    assert np.cov(white) == pytest.approx(np.eye(2), abs=0.05)


def test_four_modes_are_alike_and_none_is_degenerate():
    data = SLCP().sample(10, seed=3)
    theta, x = data["parameters"].astype(float), data["observables"]
    for signs in ([1, 1, -1, 1, 1], [1, 1, 1, -1, 1], [1, 1, -1, -1, 1]):
        assert np.allclose(PLAIN.log_likelihood(theta * signs, x), PLAIN.log_likelihood(theta, x), rtol=1e-12)
    assert np.isfinite(PLAIN.log_likelihood(np.zeros(5), np.zeros(8)))
    assert PLAIN.simulate(np.zeros((1000, 5)), np.random.default_rng(0)).std() == pytest.approx(1e-3, rel=0.05)


def test_published_draws_visit_the_four_modes_alike(references):
    _, _, draws = references("slcp", 1)
    counts = np.unique(np.sign(draws[:, 2:4]), axis=0, return_counts=True)[1]
    assert counts == pytest.approx(2500, abs=5 * np.sqrt(10_000 * 3 / 16))


def test_the_eight_numbers_of_slcp_stand_at_fixed_places(references):
    for observation in (1, 2, 3):
        plain, hidden = (references(task, observation) for task in ("slcp", "slcp_distractors"))
        assert np.array_equal(hidden.observable[INFORMATIVE], plain.observable)
        assert np.array_equal(hidden.draws, plain.draws)
        theta = plain.true_parameters
        assert HIDDEN.log_likelihood(theta, hidden.observable) == PLAIN.log_likelihood(theta, plain.observable)


def test_each_distractor_follows_the_mixture_of_student_t_distributions():
    """A component's margins have its degrees of freedom, and the norms of its factor's rows as scales."""
    draws = HIDDEN.distractors(4000, np.random.default_rng(0))
    scales = np.linalg.norm(FACTORS, axis=-1)
    for i in range(92):
        components = stats.t(2, loc=LOCATIONS[:, i, None], scale=scales[:, i, None])
        assert stats.kstest(draws[:, i], lambda x, law=components: law.cdf(x).mean(axis=0)).pvalue > 1e-4
