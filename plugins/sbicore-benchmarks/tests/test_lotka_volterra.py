"""Lotka-Volterra against scipy's solver, a conserved quantity, and the log-normal distribution."""

import numpy as np
import pytest
from sbicore_benchmarks import LotkaVolterra
from sbicore_benchmarks.simulators._predator_prey import log_states
from scipy import stats
from scipy.integrate import solve_ivp

SIMULATOR = LotkaVolterra().build()
TIMES = 2.1 * np.arange(10)


def solved(theta):
    """Log populations `(2, 10)` at a tight tolerance."""
    alpha, beta, gamma, delta = theta

    def field(t, state):
        return [alpha - beta * np.exp(state[1]), delta * np.exp(state[0]) - gamma]

    options = {"t_eval": TIMES, "method": "DOP853", "rtol": 1e-12, "atol": 1e-13}
    return solve_ivp(field, (0.0, 19.0), np.log([30.0, 1.0]), **options).y


def test_populations_are_those_of_scipy():
    signs = np.array([[1, 1, 1, 1], [1, -1, -1, 1], [-1, 1, 1, -1]])
    sharp = np.exp([-0.125, -3.0, -0.125, -3.0] + 1.5 * signs)
    theta = np.concatenate([SIMULATOR.prior(20, np.random.default_rng(0)), sharp])
    ours = log_states(theta, (30.0, 1.0), TIMES).swapaxes(-1, -2)
    assert np.abs(ours - [solved(row) for row in theta]).max() < 1e-6


def test_the_invariant_of_lotka_and_volterra_is_conserved():
    theta = SIMULATOR.prior(2000, np.random.default_rng(1)).astype(float)
    u, v = np.moveaxis(log_states(theta, (30.0, 1.0), TIMES), -1, 0)
    alpha, beta, gamma, delta = theta.T[:, :, None]
    terms = np.stack([delta * np.exp(u), -gamma * u, beta * np.exp(v), -alpha * v])
    conserved, size = terms.sum(axis=0), np.abs(terms).sum(axis=0)
    assert np.abs((conserved - conserved[:, :1]) / size).max() < 1e-7


def test_ten_prey_come_before_ten_predators_with_log_normal_noise():
    theta = np.tile([0.7, 0.05, 0.9, 0.04], (4000, 1))
    x = SIMULATOR.simulate(theta, np.random.default_rng(2)).astype(float)
    score = (np.log(x) - solved(theta[0]).ravel()) / 0.1
    assert stats.kstest(score.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.cov(score.T) - np.eye(20)).max() < 0.1


def test_populations_stay_within_the_published_range():
    extinct = SIMULATOR.log_populations(np.array([8.0, 0.5, 0.2, 0.5]))
    assert extinct.min() == np.log(1e-10)
    flooded = SIMULATOR.log_populations(np.array([2.0, 1e-9, 0.1, 1e-9]))
    assert flooded.max() == np.log(1e4)


def test_the_likelihood_is_log_normal():
    data = LotkaVolterra().sample(20, seed=3)
    theta, x = (data[name].astype(float) for name in ("parameters", "observables"))
    law = stats.lognorm(0.1, scale=np.exp(SIMULATOR.log_populations(theta)))
    assert np.allclose(SIMULATOR.log_likelihood(theta, x), law.logpdf(x).sum(axis=1))
    assert SIMULATOR.log_likelihood(theta[0], np.where(np.arange(20) == 4, -1.0, x[0])) == -np.inf


@pytest.mark.slow
def test_no_draw_of_the_prior_is_too_hard_for_the_solver():
    assert np.isfinite(LotkaVolterra().sample(300_000, seed=4)["observables"]).all()
