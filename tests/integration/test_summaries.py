"""Summary networks from data to posterior, where the posterior is known."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore

FIT = {"epochs": 10, "batch_size": 128, "learning_rate": 2e-3, "compile": "never", "progress": False, "seed": 1}


def sets(n, seed, size=10):
    """theta ~ N(0, 1), each of its entries N(theta, 1): the posterior is N(sum / (size + 1), 1 / (size + 1))."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, 1))
    return {"theta": theta, "x": theta[:, None] + rng.normal(size=(n, size, 1))}


def series(n, seed, size=20):
    """An autoregression with coefficient theta ~ U(-0.9, 0.9) and unit noise, from 0."""
    rng = np.random.default_rng(seed)
    theta = rng.uniform(-0.9, 0.9, size=(n, 1))
    x = np.zeros((n, size + 1, 1))
    for t in range(size):
        x[:, t + 1] = theta * x[:, t] + rng.normal(size=(n, 1))
    return {"theta": theta, "x": x[:, 1:]}


def series_posterior(x):
    """Mean and deviation by quadrature: `(O, N, 1) -> (O,), (O,)`."""
    grid = np.linspace(-0.9, 0.9, 801)
    before = np.concatenate([np.zeros_like(x[:, :1]), x[:, :-1]], 1)
    log_p = -0.5 * ((x - grid * before) ** 2).sum(1)
    p = np.exp(log_p - log_p.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    mean = p @ grid
    return mean, np.sqrt(p @ grid**2 - mean**2)


def estimated(network, simulate):
    model = sbicore.build(
        "scoring_rule_network",
        normal="mv_normal",
        summary_network=network,
        subnet_kwargs={"widths": [64, 64]},
        inference_variables=["theta"],
        summary_variables=["x"],
    )
    model.fit(simulate(10_000, 1), **FIT)
    observed = simulate(200, 2)["x"]
    found = model.estimate({"x": observed})["normal"]
    return observed, found["loc"][:, 0], np.sqrt(found["covariance"][:, 0, 0])


@pytest.mark.parametrize("network", ["deep_set"])
def test_the_mean_of_a_set(network):
    observed, mean, sd = estimated(network, sets)
    exact, width = observed.sum((1, 2)) / 11, np.sqrt(1 / 11)
    assert np.abs(mean - exact).mean() < 0.15 * width
    assert abs(np.log(sd / width).mean()) < 0.1


@pytest.mark.parametrize("network", ["time_series_network"])
def test_the_coefficient_of_an_autoregression(network):
    observed, mean, sd = estimated(network, series)
    exact, width = series_posterior(observed)
    assert np.abs((mean - exact) / width).mean() < 0.25
    assert abs(np.log(sd / width).mean()) < 0.15
