"""Gaussian linear uniform against truncated normal distributions."""

import numpy as np
import pytest
from sbicore_benchmarks import GaussianLinearUniform
from scipy import stats

from sbicore.errors import DataError

SIMULATOR = GaussianLinearUniform().build()
SD = np.sqrt(0.1)


def truncated(observable):
    x = np.asarray(observable, dtype=float)
    return stats.truncnorm((-1.0 - x) / SD, (1.0 - x) / SD, loc=x, scale=SD)


def test_the_posterior_density_is_that_of_truncated_normals():
    theta = SIMULATOR.prior(20, np.random.default_rng(0)).astype(float)
    for x in (np.linspace(-1.5, 1.5, 10), np.full(10, 3.0)):
        assert np.allclose(SIMULATOR.posterior_log_prob(theta, x), truncated(x).logpdf(theta).sum(axis=1))
    assert SIMULATOR.posterior_log_prob(np.full(10, 1.1), np.zeros(10)) == -np.inf


@pytest.mark.parametrize("observation", [1, 2, 3])
def test_published_and_our_draws_are_truncated_normals(observation, references):
    observable, _, published = references("gaussian_linear_uniform", observation)
    ours = SIMULATOR.posterior(observable, 10_000, np.random.default_rng(observation))
    for draws in (published, ours):
        uniform = truncated(observable).cdf(draws)
        assert min(stats.kstest(column, "uniform").pvalue for column in uniform.T) > 1e-4
        assert np.abs(np.corrcoef(uniform.T) - np.eye(10)).max() < 5.0 / np.sqrt(10_000)


@pytest.mark.parametrize("value", [3.0, -3.0, 8.0, -8.0])
def test_draws_stay_exact_far_outside_the_box(value):
    draws = SIMULATOR.posterior(np.full(10, value), 1000, np.random.default_rng(0))
    assert (np.abs(draws) <= 1.0).all()
    beyond = (np.abs(value) - 1.0) / SD
    depth = (np.abs(value) - np.sign(value) * draws.astype(float)) / SD
    uniform = np.exp(stats.norm.logsf(depth) - stats.norm.logsf(beyond))
    assert stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-3


def test_an_impossible_observable_is_refused():
    assert SIMULATOR.log_evidence(np.full(10, 50.0)) == -np.inf
    with pytest.raises(DataError, match=r"(?s)gaussian_linear_uniform does not produce.*published\('gaussian_linear_u"):
        SIMULATOR.posterior(np.full(10, 50.0), 10, np.random.default_rng(0))
