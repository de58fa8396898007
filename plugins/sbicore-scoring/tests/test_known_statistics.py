"""Statistics of posteriors that are known: a normal one in two dimensions, and a skewed one.

The rows are so many that what a fit misses is a hundredth of a posterior deviation or two: over three seeds 0.010 to
0.014, and 0.016 to 0.023 for the worst quantile. A mean in the place of the median misses the skewed bar: they are 0.1
deviations apart.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import sbicore
from sbicore.errors import DataWarning

Q = [0.05, 0.25, 0.5, 0.75, 0.95]
FIT = {"steps": 2_000, "learning_rate": 5e-3, "compile": "never", "progress": False, "seed": 1}

PRIOR = np.array([[1.0, 0.6], [0.6, 1.0]])
NOISE = 0.49 * np.eye(2)
COVARIANCE = np.linalg.inv(np.linalg.inv(PRIOR) + np.linalg.inv(NOISE))
SD = np.sqrt(np.diag(COVARIANCE))


def normal(n, seed):
    rng = np.random.default_rng(seed)
    theta = rng.multivariate_normal([0.0, 0.0], PRIOR, size=n)
    return {"theta": theta, "x": theta + 0.7 * rng.normal(size=(n, 2))}


def skewed(n, seed):
    """theta ~ Gamma(2, 1), five Poisson counts: the posterior is Gamma(2 + sum, 6)."""
    rng = np.random.default_rng(seed)
    theta = rng.gamma(2.0, size=(n, 1))
    return {"theta": theta, "x": rng.poisson(theta, size=(n, 5)).sum(1, keepdims=True)}


def estimated(simulate, rows, batch_size, **rules):
    model = sbicore.build(
        "scoring_rule_network",
        mean="mean",
        median="median",
        q={"name": "quantile", "q": Q},
        **rules,
        subnet_kwargs={"widths": [64, 64]},
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    model.fit(simulate(rows, 1), batch_size=batch_size, **FIT)
    x = simulate(2_000, 2)["x"]
    return x, model.estimate({"x": x})


def test_statistics_of_a_normal_posterior():
    x, found = estimated(normal, 100_000, 512, normal="mv_normal")
    mean = x @ (COVARIANCE @ np.linalg.inv(NOISE)).T
    quantiles = mean[:, None] + SD * stats.norm.ppf(Q)[:, None]
    assert np.abs((found["mean"]["mean"] - mean) / SD).mean() < 0.03
    assert np.abs((found["median"]["median"] - mean) / SD).mean() < 0.03
    assert np.abs((found["q"]["quantiles"] - quantiles) / SD).mean((0, 2)).max() < 0.03
    assert np.abs((found["normal"]["loc"] - mean) / SD).mean() < 0.03
    error = np.abs(found["normal"]["covariance"] - COVARIANCE).mean(0) / np.outer(SD, SD)
    assert error.max() < 0.05


def test_statistics_of_a_skewed_posterior():
    x, found = estimated(skewed, 200_000, 1_024)
    exact = stats.gamma(2 + x, scale=1 / 6)
    assert np.abs((found["mean"]["mean"] - exact.mean()) / exact.std()).mean() < 0.03
    assert np.abs((found["median"]["median"] - exact.median()) / exact.std()).mean() < 0.03
    quantiles = np.stack([exact.ppf(q) for q in Q], 1)
    assert np.abs((found["q"]["quantiles"] - quantiles) / exact.std()[:, None]).mean() < 0.03


def test_quantiles_never_cross_far_from_the_data():
    model = sbicore.build(
        "point_network",
        points="quantiles",
        q=[0.01, 0.1, 0.5, 0.9, 0.99],
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    model.fit(skewed(2_000, 1), epochs=3, compile="never", progress=False, seed=1)
    x = 100 * np.random.default_rng(3).standard_cauchy(size=(10_000, 1))
    with pytest.warns(DataWarning, match="far outside the training data in 5570 of 10000"):
        quantiles = model.estimate({"x": x})["quantiles"]["quantiles"]
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()


@pytest.mark.parametrize("q", [[0.0, 0.5], [0.5, 1.0], [0.9, 0.1], [0.5, 0.5], []])
def test_levels_that_cannot_be(q):
    with pytest.raises(sbicore.errors.ConfigError):
        sbicore.networks.PointNetwork("quantiles", q=q)
