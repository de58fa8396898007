"""Conditions that may be left out, and targets that may be given, on a problem whose answers are known.

theta ~ N(0, P) with two correlated coordinates, x = theta + 0.5 noise.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sbicore_flow_matching import FlowMatching

import sbicore
from sbicore.errors import ConfigError, DataError
from sbicore.shapes import Shapes

PRIOR = np.array([[1.0, 0.7], [0.7, 1.0]])
NOISE = 0.5
COVARIANCE = np.linalg.inv(np.linalg.inv(PRIOR) + np.eye(2) / NOISE**2)
OBSERVED = np.array([[1.0, -0.5], [-1.5, 0.5], [0.3, 1.2], [2.0, 1.0]])
MEAN = OBSERVED @ COVARIANCE / NOISE**2


def simulate(rows, seed):
    rng = np.random.default_rng(seed)
    theta = rng.multivariate_normal(np.zeros(2), PRIOR, size=rows)
    return {"a": theta[:, :1], "b": theta[:, 1:], "x": theta + NOISE * rng.normal(size=theta.shape)}


@pytest.fixture(scope="module")
def posterior():
    """A network that has lost its conditions, and had targets given, in parts of the training."""
    model = sbicore.build(
        "flow_matching",
        drop_cond_prob=0.2,
        drop_target_prob=0.3,
        subnet_kwargs={"widths": [64, 64, 64]},
        inference_variables=["a", "b"],
        inference_conditions=["x"],
    )
    model.fit(
        simulate(20_000, 1), steps=1_500, batch_size=256, learning_rate=3e-3, compile="never", seed=1, progress=False
    )
    return model


def draws(model, count=4_000, **options):
    found = model.sample({"x": OBSERVED}, count, seed=2, progress=False, **options)
    return np.concatenate([found["a"], found["b"]], axis=-1).astype(float)


def test_strength_zero_is_the_prior(posterior):
    """Margins: 0.1 deviations, of which 4,000 draws make 0.05 (three standard errors)."""
    found = draws(posterior, guidance_strength=0.0)
    np.testing.assert_allclose(found.mean(1), 0, atol=0.1)
    np.testing.assert_allclose([np.cov(rows.T) for rows in found], np.broadcast_to(PRIOR, (4, 2, 2)), atol=0.12)


def test_strength_one_is_the_posterior(posterior):
    found = draws(posterior)
    sd = np.sqrt(np.diag(COVARIANCE))
    assert np.abs((found.mean(1) - MEAN) / sd).mean() < 0.12
    covariances = np.stack([np.cov(rows.T) for rows in found])
    assert np.abs(covariances.mean(0) - COVARIANCE).max() < 0.12 * COVARIANCE.max()


def test_larger_strengths_sharpen(posterior):
    spreads = [draws(posterior, 500, guidance_strength=s).std(1).mean() for s in (0.0, 1.0, 2.0, 4.0)]
    assert spreads == sorted(spreads, reverse=True)


def test_a_dropped_condition_is_no_condition_of_zero(posterior):
    """The posterior at x = 0 has the same mean as the prior, and half its width."""
    at_zero = posterior.sample({"x": [[0.0, 0.0]]}, 2_000, seed=1, progress=False)["a"].std()
    without = posterior.sample({"x": [[0.0, 0.0]]}, 2_000, seed=1, guidance_strength=0.0, progress=False)["a"].std()
    assert at_zero == pytest.approx(np.sqrt(COVARIANCE[0, 0]), rel=0.15)
    assert without == pytest.approx(1.0, rel=0.1)


def test_guidance_costs_two_evaluations(posterior):
    costs = [
        posterior.sample({"x": OBSERVED}, 2, report=True, progress=False, guidance_strength=s)[1].evaluations
        for s in (0.0, 1.0, 2.0)
    ]
    assert costs == [20, 20, 40]


def test_given_targets_condition_the_others(posterior):
    """a | b, x of the joint normal; the given ones come back as they were."""
    given = np.array([0.8, -0.4, 1.0, 0.5])
    found = posterior.sample({"x": OBSERVED}, 4_000, fixed={"b": given[:, None]}, seed=3, progress=False)
    np.testing.assert_allclose(found["b"], np.broadcast_to(given[:, None, None], found["b"].shape), atol=1e-5)
    slope = COVARIANCE[0, 1] / COVARIANCE[1, 1]
    sd = np.sqrt(COVARIANCE[0, 0] - slope * COVARIANCE[0, 1])
    expected = MEAN[:, 0] + slope * (given - MEAN[:, 1])
    assert np.abs(found["a"][..., 0].mean(1) - expected).max() < 0.2 * sd
    np.testing.assert_allclose(found["a"].std(1)[:, 0], sd, rtol=0.15)


def test_entries_that_are_nan_are_drawn(posterior):
    found = posterior.sample({"x": OBSERVED[:2]}, 50, fixed={"b": [[np.nan], [0.3]]}, seed=3, progress=False)["b"]
    assert found[0].std() > 0.1
    np.testing.assert_allclose(found[1], 0.3, atol=1e-5)


def test_what_cannot_be_fixed_is_refused(posterior):
    for fixed, error, words in (
        ({"c": 1.0}, ConfigError, "not inferred"),
        ({"a": [[0.1]], "b": [[0.2]]}, DataError, "leave some"),
        ({"a": [[np.nan]]}, DataError, "some of"),
        ({"a": np.zeros((3, 1))}, DataError, "3 rows"),
    ):
        with pytest.raises(error, match=words):
            posterior.sample({"x": OBSERVED}, 5, fixed=fixed, progress=False)


def test_guidance_and_given_targets_need_a_training_for_them():
    data = simulate(300, 1)
    model = sbicore.build(
        "flow_matching", subnet_kwargs={"widths": [8]}, inference_variables=["a", "b"], inference_conditions=["x"]
    )
    model.fit(data, epochs=1, seed=1, progress=False)
    with pytest.raises(ConfigError, match="drop_cond_prob"):
        model.sample({"x": OBSERVED}, 5, guidance_strength=2.0, progress=False)
    with pytest.raises(ConfigError, match="drop_cond_prob"):
        model.log_prob(simulate(3, 2), guidance_strength=0.0, progress=False)
    with pytest.raises(ConfigError, match="drop_target_prob"):
        model.sample({"x": OBSERVED}, 5, fixed={"a": 1.0}, progress=False)
    with pytest.raises(ConfigError, match="there are none"):
        FlowMatching(drop_cond_prob=0.1).build(Shapes(target=(2,)))
    with pytest.raises(ConfigError, match="optimal transport"):
        FlowMatching(drop_target_prob=0.1, use_optimal_transport=True)


def test_some_target_is_always_inferred():
    network = FlowMatching(drop_target_prob=0.95, subnet_kwargs={"widths": [8]}).build(Shapes(target=(3,)))
    given = network.backbone.drops(torch.zeros(5_000, 3), torch.Generator().manual_seed(1))["given"]
    assert not bool(given.all(1).any())
    assert float(given.float().mean()) == pytest.approx((3 * 0.95 - 0.95**3) / 3, abs=0.01)


def test_bfloat16_is_near_float32(posterior):
    """Draws of the same seed, in deviations of the posterior."""
    exact, rough = (draws(posterior, 1_000, precision=p) for p in ("float32", "bfloat16"))
    assert 0 < np.abs(rough - exact).mean() < 0.03 * np.sqrt(COVARIANCE[0, 0])
