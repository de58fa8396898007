"""Bernoulli GLM against its definition: design, prior, rates, and the two forms of its data."""

import numpy as np
import pytest
from sbicore_benchmarks import BernoulliGLM, BernoulliGLMRaw
from sbicore_benchmarks.simulators.bernoulli_glm import DESIGN
from scipy import stats
from scipy.special import expit

STATISTICS, RAW = BernoulliGLM().build(), BernoulliGLMRaw().build()


def test_the_design_convolves_one_stimulus():
    stimulus = DESIGN[:, 1]
    assert (DESIGN[:, 0] == 1.0).all()
    impulse = np.arange(1.0, 10.0)
    assert np.allclose(DESIGN[:, 1:] @ impulse, np.convolve(stimulus, impulse)[:100])


def test_the_prior_penalises_second_differences():
    covariance = np.zeros((10, 10))
    covariance[0, 0] = 2.0
    roughness = np.zeros((9, 9))
    for i in range(9):
        roughness[i, i] = 1.0 + np.sqrt(i / 9)
        if i > 0:
            roughness[i, i - 1] = -2.0
        if i > 1:
            roughness[i, i - 2] = 1.0
    covariance[1:, 1:] = np.linalg.inv(roughness.T @ roughness)
    draws = STATISTICS.prior(20, np.random.default_rng(0)).astype(float)
    expected = stats.multivariate_normal(np.zeros(10), covariance).logpdf(draws)
    assert np.allclose(STATISTICS.prior_log_prob(draws), expected)


def test_spikes_have_their_rates():
    theta = RAW.prior(1, np.random.default_rng(3))[0].astype(float)
    trains = RAW.simulate(np.tile(theta, (4000, 1)), np.random.default_rng(4))
    assert set(np.unique(trains)) == {0.0, 1.0}
    rate = expit(DESIGN @ theta)
    assert (np.abs(trains.mean(axis=0) - rate) < 5.0 * np.sqrt(rate * (1.0 - rate) / 4000) + 1e-6).all()


def test_statistics_say_as_much_as_the_train():
    theta = RAW.prior(50, np.random.default_rng(5)).astype(float)
    trains = RAW.simulate(theta, np.random.default_rng(6))
    statistics = STATISTICS.simulate(theta, np.random.default_rng(6))
    assert np.allclose(statistics, trains @ DESIGN, atol=1e-4)
    expected = stats.bernoulli(expit(theta @ DESIGN.T)).logpmf(trains).sum(axis=1)
    assert np.allclose(RAW.log_likelihood(theta, trains), expected)
    assert np.allclose(STATISTICS.log_likelihood(theta, statistics), expected, atol=1e-4)


@pytest.mark.parametrize("observation", [1, 2, 3])
def test_published_statistics_are_those_of_the_published_train(observation, references):
    statistics, train = (references(task, observation) for task in ("bernoulli_glm", "bernoulli_glm_raw"))
    assert np.allclose(train.observable @ DESIGN, statistics.observable, atol=1e-4)
    assert np.array_equal(train.draws, statistics.draws)
