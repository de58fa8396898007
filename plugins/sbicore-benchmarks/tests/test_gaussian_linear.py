"""Gaussian linear against scipy and the conjugate posterior."""

import numpy as np
import pytest
from sbicore_benchmarks import GaussianLinear
from scipy import stats

SIMULATOR = GaussianLinear().build()


def test_densities_are_those_of_scipy():
    data = GaussianLinear().sample(20, seed=1)
    theta, x = (data[name].astype(float) for name in ("parameters", "observables"))
    noise = stats.multivariate_normal(np.zeros(10), 0.1)
    assert np.allclose(SIMULATOR.log_likelihood(theta, x), noise.logpdf(x - theta))
    assert SIMULATOR.log_evidence(x[0]) == pytest.approx(stats.multivariate_normal(np.zeros(10), 0.2).logpdf(x[0]))
    posterior = stats.multivariate_normal(0.5 * x[0], 0.05)
    assert np.allclose(SIMULATOR.posterior_log_prob(theta, x[0]), posterior.logpdf(theta))


@pytest.mark.parametrize("observation", [1, 2, 3])
def test_published_and_our_draws_are_conjugate(observation, references):
    observable, _, published = references("gaussian_linear", observation)
    ours = SIMULATOR.posterior(observable, 10_000, np.random.default_rng(observation))
    for draws in (published, ours):
        white = (draws - 0.5 * observable) / np.sqrt(0.05)
        assert min(stats.kstest(column, "norm").pvalue for column in white.T) > 1e-4
        correlation = np.cov(white.T)
        assert np.abs(correlation - np.eye(10)).max() < 5.0 * np.sqrt(2.0 / 10_000)
