"""They learn a field whose posterior is known, and serve every network that draws."""

from __future__ import annotations

import time

import numpy as np
import pytest

import sbicore
from sbicore.testing import GaussianFieldTask

SMALL = {"widths": [16], "num_heads": 2, "transformer_width": 32, "transformer_blocks": 2, "expansion_factor": 2.0}
TASK = GaussianFieldTask((8, 8))


@pytest.mark.parametrize("subnet", ["uvit", "residual_uvit"])
def test_a_short_fit_is_near_the_exact_posterior(subnet):
    """300 steps give 0.2 and 0.02; exact draws would give 0.16, the root of 1 / 39, and 0.015."""
    posterior = sbicore.build(
        "flow_matching",
        subnet=subnet,
        subnet_kwargs=SMALL,
        inference_variables=["field"],
        inference_conditions=["image"],
    )
    options = {"steps": 300, "batch_size": 64, "learning_rate": 2e-3, "ema_decay": 0.98, "compile": "never"}
    posterior.fit(TASK.sample(8_000, seed=1), **options, seed=1, progress=False)
    test = TASK.sample(40, seed=2)
    draws = posterior.sample({"image": test["image"]}, 39, seed=2, progress=False)["field"].astype(float)
    error = np.sqrt(np.mean((draws.mean(1) - TASK.mean(test["image"])) ** 2) / np.mean(TASK.sd**2))
    spread = np.sqrt(draws.var(1, ddof=1).mean(0)) / TASK.sd
    assert error < 0.25
    assert np.abs(spread - 1).mean() < 0.05


@pytest.mark.parametrize("network", ["flow_matching", "consistency_model", "stable_consistency_model"])
def test_a_workflow_denoises_images(network):
    """From the first line to the draws in less than a minute."""
    started = time.perf_counter()

    def field(rng):
        return {"target_image": rng.normal(size=(8, 8, 1)).cumsum(0).cumsum(1) / 8}

    def noisy(target_image, rng):
        return {"condition_map": target_image + 0.3 * rng.normal(size=target_image.shape)}

    workflow = sbicore.BasicWorkflow(
        simulator=sbicore.make_simulator([field, noisy]),
        adapter=sbicore.Adapter()
        .rename("target_image", "inference_variables")
        .rename("condition_map", "inference_conditions"),
        inference_network=sbicore.configure(
            network, subnet="uvit", subnet_kwargs={"widths": [16], "transformer_width": 64}
        ),
    )
    workflow.fit_online(epochs=5, batch_size=8, num_batches_per_epoch=10, progress=False, seed=1)
    held_out = workflow.simulate(5, seed=2)
    draws = workflow.sample(conditions={"condition_map": held_out["condition_map"]}, num_samples=4, seed=3)
    assert draws["target_image"].shape == (5, 4, 8, 8, 1)
    assert np.isfinite(draws["target_image"]).all()
    assert time.perf_counter() - started < 60
