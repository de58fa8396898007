"""Every network that draws on every subnet of images, as the registry finds them, and a workflow in under a minute."""

from __future__ import annotations

import time

import attrs
import numpy as np
import pytest

import sbicore
from sbicore.registry import resolve

SUBNETS = [row["name"] for row in sbicore.plugins("subnet") if resolve(row["name"], kind="subnet").layout == "image"]
NETWORKS = {
    "flow_matching": {"use_optimal_transport": True},
    "diffusion_model": {"prediction_type": "velocity", "noise_schedule": "cosine", "drop_cond_prob": 0.2},
    "consistency_model": {},
    "stable_consistency_model": {},
}
SMALL = {"widths": [8, 16], "res_blocks": 1, "num_heads": 2, "transformer_width": 16}


def small(subnet):
    known = attrs.fields_dict(resolve(subnet, kind="subnet"))
    return {name: value for name, value in SMALL.items() if name in known}


@pytest.mark.parametrize("subnet", SUBNETS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("condition", ["map", "vector", None])
def test_they_train_and_draw(network, subnet, condition):
    options = dict(NETWORKS[network])
    if condition is None:
        options.pop("drop_cond_prob", None)
    if condition == "vector" and not resolve(subnet, kind="subnet").takes_vectors:
        pytest.skip(f"{subnet} takes conditions on pixels alone")
    rng = np.random.default_rng(0)
    shapes = {"field": (5, 4, 2), "map": (5, 4, 1), "vector": (3,)}
    data = {name: rng.normal(size=(40, *shapes[name])) for name in ("field", condition) if name}
    model = sbicore.build(
        network,
        subnet=subnet,
        subnet_kwargs=small(subnet),
        inference_variables=["field"],
        inference_conditions=None if condition is None else [condition],
        **options,
    )
    history = model.fit(data, epochs=1, batch_size=20, seed=1, progress=False, compile="never")
    assert np.isfinite(history.loss).all()
    observed = None if condition is None else {condition: data[condition][:2]}
    draws = model.sample(observed, 3, seed=1, progress=False, steps=1)["field"]
    assert draws.shape == ((3, 5, 4, 2) if condition is None else (2, 3, 5, 4, 2))
    if options.get("drop_cond_prob"):
        guided = model.sample(observed, 3, seed=1, progress=False, steps=1, guidance_strength=2.0)["field"]
        assert guided.shape == draws.shape
        assert condition == "vector" or not np.allclose(guided, draws)
    if "log_prob" in model.config.capabilities:
        given = {name: value[:2] for name, value in data.items()}
        found = model.log_prob(given, hutchinson=1, method="midpoint", steps=1, seed=1, progress=False)
        assert np.isfinite(found).all()


def field(rng):
    return {"target_image": rng.normal(size=(8, 8, 1)).cumsum(0).cumsum(1) / 8}


def noisy(target_image, rng):
    return {"condition_map": target_image + 0.3 * rng.normal(size=target_image.shape)}


@pytest.mark.parametrize(
    "network",
    [
        {"name": "diffusion_model", "subnet": "unet", "prediction_type": "velocity", "noise_schedule": "cosine"},
        {"name": "flow_matching", "subnet": "unet", "subnet_kwargs": small("unet")},
        {"name": "consistency_model", "subnet": "unet", "subnet_kwargs": small("unet")},
        {"name": "stable_consistency_model", "subnet": "unet", "subnet_kwargs": small("unet")},
    ],
    ids=lambda network: network["name"],
)
def test_a_workflow_denoises_images(network):
    """From the first line to the draws in less than a minute."""
    started = time.perf_counter()
    workflow = sbicore.BasicWorkflow(
        simulator=sbicore.make_simulator([field, noisy]),
        adapter=sbicore.Adapter()
        .rename("target_image", "inference_variables")
        .rename("condition_map", "inference_conditions"),
        inference_network=network,
    )
    workflow.fit_online(epochs=5, batch_size=8, num_batches_per_epoch=10, progress=False, seed=1)
    held_out = workflow.simulate(5, seed=2)
    draws = workflow.sample(conditions={"condition_map": held_out["condition_map"]}, num_samples=4, seed=3)
    assert draws["target_image"].shape == (5, 4, 8, 8, 1)
    assert np.isfinite(draws["target_image"]).all()
    assert time.perf_counter() - started < 60
