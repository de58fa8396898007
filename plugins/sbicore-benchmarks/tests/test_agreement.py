"""Likelihoods agree with our simulators, with the published observations, and with the published posteriors."""

import numpy as np
import pytest
from sbicore_benchmarks.published import TASKS
from scipy.stats import kstest

DRAWS = {"lotka_volterra": 2000, "sir": 4000}
"""Fewer than 10,000 where each one solves a differential equation."""

LENGTHS = (0.5, 0.05)
"""Of Metropolis steps, in standard deviations: the short one suits narrow crescents and modes far apart."""

each_task = pytest.mark.parametrize("task", TASKS)


@pytest.mark.parametrize("task", [task for task in TASKS if task != "two_moons"])
def test_the_likelihood_is_that_of_the_simulator(task, simulators, references):
    """The ratio of two likelihoods is 1 on average over data of the one in the denominator.

    Parameters are changed one at a time, so far that the logarithm of the ratio has a standard deviation of 0.5.
    The parameters of two moons move the edge of its data, where the ratio has no mean of 1; its density is
    integrated elsewhere.
    """
    simulator, rng, n = simulators[task], np.random.default_rng(1), 4000
    for observation in (1, 2):
        theta = references(task, observation).true_parameters.astype(np.float64)
        x = simulator.simulate(np.tile(theta, (n, 1)), rng)
        below = simulator.log_likelihood(theta, x)
        step = -1e-4 * theta
        slope = (simulator.log_likelihood(theta + np.diag(step)[:, None], x) - below).std(axis=1)
        ratio = np.exp(simulator.log_likelihood(theta + np.diag(0.5 / slope * step)[:, None], x) - below)
        assert (ratio.std(axis=1) > 0.1).all()
        assert (np.abs(ratio.mean(axis=1) - 1.0) < 4.5 * ratio.std(axis=1) / np.sqrt(n)).all()


@each_task
def test_published_observations_are_typical_of_their_true_parameters(task, simulators, references):
    """Among 500 simulated ones, all numbers of the ten observations, and the ten likelihoods, have uniform ranks."""
    simulator, rng = simulators[task], np.random.default_rng(2)
    published = [references(task, observation) for observation in range(1, 11)]
    theta = np.stack([row.true_parameters for row in published])
    observed = np.stack([row.observable for row in published])
    simulated = simulator.simulate(np.tile(theta, (500, 1, 1)), rng)
    likelihoods = (simulator.log_likelihood(theta, x) for x in (simulated, observed))
    assert kstest(ranks(simulated, observed, rng).ravel(), "uniform").pvalue > 1e-3
    assert kstest(ranks(*likelihoods, rng), "uniform").pvalue > 1e-3


def ranks(simulated, observed, rng):
    """Shares of simulated values below the observed, ties at random."""
    below, ties = (simulated < observed).mean(axis=0), (simulated == observed).mean(axis=0)
    return below + ties * rng.random(observed.shape)


@each_task
@pytest.mark.parametrize("observation", [1, 2, *(pytest.param(i, marks=pytest.mark.slow) for i in range(3, 11))])
def test_published_posteriors_are_those_of_our_prior_and_likelihood(task, observation, simulators, references):
    """A Metropolis step leaves the posterior as it is: means, variances and the log density itself.

    Each draw is moved there and back; the probability of acceptance takes the place of a coin. With a likelihood
    to the power of 1.2, or draws off by 0.1 standard deviations, scores are 4.7 to 9 and more.
    """
    rng = np.random.default_rng(observation)
    observable, _, draws = references(task, observation)
    draws = draws[: DRAWS.get(task)].astype(np.float64)
    centre, spread = draws.mean(axis=0), draws.std(axis=0)
    before = log_posterior(simulators[task], draws, observable)
    assert np.isfinite(before).all()
    for length in LENGTHS:
        step = length * rng.standard_normal(draws.shape) @ np.linalg.cholesky(np.cov(draws.T)).T
        change = np.zeros((len(draws), 2 * draws.shape[1] + 1))
        for moved in (draws + step, draws - step):
            gain = np.maximum(log_posterior(simulators[task], moved, observable) - before, -700.0)
            old, new = (draws - centre) / spread, (moved - centre) / spread
            change += np.exp(np.minimum(gain, 0.0))[:, None] * np.column_stack([new - old, new**2 - old**2, gain])
        score = change.mean(axis=0) / change.std(axis=0) * np.sqrt(len(draws))
        assert (np.abs(score) < 4.5).all()


def log_posterior(simulator, theta, observable):
    """Up to a constant; the likelihood is not asked for outside the prior's support."""
    log_density = simulator.prior_log_prob(theta)
    inside = np.isfinite(log_density)
    log_density[inside] += simulator.log_likelihood(theta[inside], observable)
    return log_density
