"""A short fit against a conjugate normal posterior."""

from __future__ import annotations

import numpy as np

import sbicore

NOISE = 0.6


def test_a_short_fit_is_near_the_posterior_with_two_and_eight_evaluations():
    """theta ~ N(0, 1), x | theta ~ N(theta, 0.6²): mean x / 1.36, variance 0.36 / 1.36."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(20_000, 1))
    model = sbicore.build(
        "consistency_model",
        subnet_kwargs={"widths": [64, 64]},
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    data = {"theta": theta, "x": theta + NOISE * rng.normal(size=theta.shape)}
    model.fit(data, steps=1_500, batch_size=256, learning_rate=2e-3, compile="never", seed=1, progress=False)
    observed = np.linspace(-1.5, 1.5, 20)[:, None]
    mean, deviation = observed / (1 + NOISE**2), NOISE / (1 + NOISE**2) ** 0.5
    for steps in (2, 8):
        draws = model.sample({"x": observed}, 1_000, steps=steps, seed=1, progress=False)["theta"]
        assert np.abs((draws.mean(1) - mean) / deviation).mean() < 0.15
        assert np.abs(draws.std(1) / deviation - 1).mean() < 0.15
