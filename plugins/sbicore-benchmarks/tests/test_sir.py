"""SIR against scipy's solver, a conserved quantity, and the binomial distribution."""

import numpy as np
import pytest
from sbicore_benchmarks import SIR
from sbicore_benchmarks.simulators._predator_prey import log_states
from scipy import stats
from scipy.integrate import solve_ivp

from sbicore.errors import IntegrationError

SIMULATOR = SIR().build()


def test_the_epidemic_is_that_of_scipy():
    theta = SIMULATOR.prior(40, np.random.default_rng(0)).astype(float)

    def field(t, state, beta, gamma):
        s, log_i = state
        return [-beta * s * np.exp(log_i), beta * s - gamma]

    options = {"t_eval": np.arange(0.0, 160.0, 17.0), "method": "DOP853", "rtol": 1e-11, "atol": 1e-12}
    start = [1.0 - 1e-6, np.log(1e-6)]
    expected = [solve_ivp(field, (0.0, 160.0), start, args=tuple(row), **options).y[1] for row in theta]
    assert np.abs(np.log(SIMULATOR.infected(theta)) - expected).max() < 1e-6


def test_beta_s_plus_i_minus_gamma_log_s_is_conserved():
    beta, gamma = SIMULATOR.prior(1000, np.random.default_rng(1)).astype(float).T
    rates = np.stack([np.zeros_like(beta), beta, gamma, beta], axis=-1)
    log_s, log_i = np.moveaxis(log_states(rates, (1.0 - 1e-6, 1e-6), np.arange(0, 160, 17)), -1, 0)
    conserved = beta[:, None] * (np.exp(log_s) + np.exp(log_i)) - gamma[:, None] * log_s
    assert np.abs(conserved - conserved[:, :1]).max() < 1e-7


def test_the_likelihood_is_binomial():
    data = SIR().sample(20, seed=2)
    theta, x = (data[name].astype(float) for name in ("parameters", "observables"))
    expected = stats.binom(1000, SIMULATOR.infected(theta)).logpmf(x).sum(axis=1)
    assert np.allclose(SIMULATOR.log_likelihood(theta, x), expected)


@pytest.mark.parametrize("value", [-1.0, 1001.0, 0.5])
def test_impossible_counts_have_no_likelihood(value):
    x = np.zeros(10)
    x[3] = value
    assert SIMULATOR.log_likelihood([0.4, 0.125], x) == -np.inf


def test_parameters_that_are_not_finite_are_refused():
    with pytest.raises(IntegrationError):
        SIMULATOR.infected(np.array([[0.4, 0.1], [np.nan, 0.1]]))
