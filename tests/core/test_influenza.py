"""The influenza problem: its solver, its counts and its likelihood against SciPy."""

from __future__ import annotations

import time

import numpy as np
import pytest

from sbicore.errors import DataError
from sbicore.examples import influenza

integrate = pytest.importorskip("scipy.integrate")
stats = pytest.importorskip("scipy.stats")


@pytest.fixture
def parameters():
    return influenza.prior(100, np.random.default_rng(1))


def test_the_data_are_the_recorded_ones():
    assert len(influenza.IN_BED) == 14
    assert sum(influenza.IN_BED) == 1559
    assert influenza.IN_BED.index(max(influenza.IN_BED)) == 5


def test_the_solver_agrees_with_scipy(parameters):
    for beta, gamma in [(1.7, 0.5), *zip(parameters["beta"], parameters["gamma"], strict=True)]:

        def slope(_, state, beta=beta, gamma=gamma):
            infections = beta * state[0] * state[1] / 763
            return -infections, infections - gamma * state[1]

        exact = integrate.solve_ivp(
            slope, (0, 14), (762, 1), method="DOP853", t_eval=range(1, 15), rtol=1e-12, atol=1e-12
        )
        np.testing.assert_allclose(influenza.infected(beta, gamma), exact.y[1], rtol=2e-6)


def test_prior_draws_follow_their_density():
    draws = influenza.prior(20_000, np.random.default_rng(1))
    laws = {
        "beta": stats.truncnorm(-2, np.inf, 2, 1),
        "gamma": stats.truncnorm(-0.8, np.inf, 0.4, 0.5),
        "phi_inv": stats.expon(scale=1 / 5),
    }
    assert tuple(draws) == influenza.PARAMETERS == tuple(laws)
    for name, law in laws.items():
        assert stats.kstest(draws[name], law.cdf).pvalue > 1e-4
    expected = sum(law.logpdf(draws[name]) for name, law in laws.items())
    np.testing.assert_allclose(influenza.log_prior(**draws), expected, rtol=1e-10)
    assert influenza.log_prior([-1, 1, 1], [1, -1, 1], [1, 1, -1]).tolist() == [-np.inf] * 3


def test_the_likelihood_is_the_negative_binomial(parameters):
    mean = influenza.infected(parameters["beta"], parameters["gamma"])
    size = 1 / parameters["phi_inv"][:, None]
    expected = stats.nbinom.logpmf(influenza.IN_BED, size, size / (size + mean)).sum(axis=1)
    np.testing.assert_allclose(influenza.log_likelihood(**parameters), expected, rtol=1e-8)


@pytest.mark.parametrize("phi_inv", [0.0, 1e-300, 1e-13])
def test_the_likelihood_has_its_poisson_limit(phi_inv):
    expected = stats.poisson.logpmf(influenza.IN_BED, influenza.infected(1.7, 0.5)).sum()
    np.testing.assert_allclose(influenza.log_likelihood(1.7, 0.5, phi_inv), expected, rtol=1e-9)


@pytest.mark.parametrize("phi_inv", [0.0, 0.13, 2.0])
def test_counts_have_the_mean_and_variance_of_the_model(phi_inv):
    n = 40_000
    rows = (np.full(n, value) for value in (1.7, 0.5, phi_inv))
    counts = influenza.outbreak(*rows, np.random.default_rng(1))
    mean = influenza.infected(1.7, 0.5)
    variance = mean + mean**2 * phi_inv
    law = stats.nbinom(1 / max(phi_inv, 1e-9), 1 / (1 + mean * max(phi_inv, 1e-9)))
    kurtosis = law.stats(moments="k")
    z_mean = (counts["in_bed"].mean(0) - mean) / np.sqrt(variance / n)
    z_variance = (counts["in_bed"].var(0) / variance - 1) / np.sqrt((kurtosis + 2) / n)
    assert np.abs(z_mean).max() < 5
    assert np.abs(z_variance).max() < 5


def test_extreme_parameters_are_survived():
    rows = [[0, 0, 0], [0, 60, 0], [7, 0, 1e-9], [0.1, 5, 50], [1e-30, 1e-30, 1e-30]]
    beta, gamma, phi_inv = np.array(rows).T
    counts = influenza.outbreak(beta, gamma, phi_inv, np.random.default_rng(1))["in_bed"]
    assert (counts >= 0).all()
    assert not np.isnan(influenza.log_likelihood(beta, gamma, phi_inv)).any()


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
@pytest.mark.parametrize("name", influenza.PARAMETERS)
def test_impossible_parameters_are_refused(name, bad):
    values = {"beta": 1.0, "gamma": 1.0, "phi_inv": 1.0, name: [1.0, bad]}
    with pytest.raises(DataError, match=f"{name} must be finite and not negative; 1 of 2"):
        influenza.outbreak(**values, rng=np.random.default_rng(1))


def test_the_simulator_makes_many_rows_fast():
    simulator = influenza.simulator()
    start = time.process_time()
    rows = simulator.sample(20_000, seed=1)
    assert time.process_time() - start < 2
    shapes = {name: values.shape for name, values in rows.items()}
    assert shapes == dict.fromkeys(influenza.PARAMETERS, (20_000,)) | {"in_bed": (20_000, 14)}
    assert rows["in_bed"].dtype == np.int64
    again = simulator.sample(20_000, seed=1, given={name: rows[name] for name in influenza.PARAMETERS})
    assert np.mean(again["in_bed"] == rows["in_bed"]) > 0.99
