"""Fields with a known posterior: draws with an exact field in place of a network, and a network that learns it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.registry import resolve
from sbicore.shapes import Shapes
from sbicore.testing import GaussianFieldTask

SUBNETS = [row["name"] for row in sbicore.plugins("subnet") if resolve(row["name"], kind="subnet").layout == "image"]
SMALL = {"widths": [16, 32], "res_blocks": 1, "num_heads": 2}
TASK = GaussianFieldTask((8, 8))


def measured(draws, task, test):
    """Of draws `(O, S, *size, 1)`: error of their mean relative to the exact mean's, deviation, and coverage.

    The truth lies between the same ranks of S draws as of S + 1 equals, whatever S is.
    """
    truth, best = test["field"], task.mean(test["image"])
    below = (draws < truth[:, None]).sum(1)
    size = draws.shape[1]
    found = {
        "rmse": np.sqrt(np.mean((draws.mean(1) - truth) ** 2) / np.mean((best - truth) ** 2)),
        "sd": np.sqrt(draws.var(1, ddof=1).mean(0)) / task.sd,
    }
    for level in (50, 90):
        tail = round((size + 1) * (100 - level) / 200)
        inside = (below >= tail) & (below <= size - tail)
        found[f"coverage {level}"] = inside.mean() - (size + 1 - 2 * tail) / (size + 1)
    return found


def flow(task):
    """Flow matching, its network replaced by the exact field."""
    shape = (*task.size, 1)
    network = sbicore.configure("flow_matching", subnet="unet", subnet_kwargs=SMALL).build(
        Shapes(target=shape, conditions=shape)
    )
    network = network.double()

    def velocity(x, t, conditions, strength, given):
        return torch.from_numpy(task.velocity(x.numpy(), float(t), conditions.numpy()))

    network.velocity = velocity
    return network


def test_draws_along_the_exact_field_have_the_exact_law():
    """4,000 draws of two observations; bounds are four standard errors, and 1 % for ten steps of the solver."""
    test = TASK.sample(2, seed=1)
    with torch.no_grad():
        image = torch.from_numpy(test["image"].astype(float)).unsqueeze(1)
        generator = torch.Generator().manual_seed(1)
        draws = flow(TASK).sample((2, 4000), image, generator=generator, steps=10).numpy()
    mean, sd = draws.mean(1), draws.std(1)
    exact = TASK.mean(test["image"])
    assert np.abs((mean - exact) / TASK.sd).max() < 4.5 / np.sqrt(4000) + 0.01
    assert np.abs(sd / TASK.sd - 1).max() < 4.5 / np.sqrt(8000) + 0.01
    assert abs(np.mean(sd / TASK.sd) - 1) < 0.01
    flat = (draws - exact[:, None]).reshape(2, 4000, -1)
    whole = np.einsum("osi,osj->ij", flat, flat) / 8000
    assert np.abs(whole - TASK.covariance).max() < 0.02


def test_the_task_is_what_it_says():
    data = TASK.sample(20_000, seed=1)
    field, image = (data[name].reshape(20_000, -1).astype(float) for name in ("field", "image"))
    assert np.abs(np.cov(field.T) - TASK.prior).max() < 0.06
    residual = field - TASK.mean(data["image"]).reshape(field.shape)
    assert np.abs(np.cov(residual.T) - TASK.covariance).max() < 0.02
    assert np.abs(residual.T @ image / 20_000).max() < 0.03
    at = TASK.log_prob(data["field"][:50], data["image"][:50])
    whole = -0.5 * (np.sum(np.linalg.solve(TASK.covariance, residual[:50].T).T * residual[:50], 1))
    np.testing.assert_allclose(at - at[0], whole - whole[0], rtol=1e-6, atol=1e-6)


def build(network, subnet, widths):
    known = {field.name for field in resolve(subnet, kind="subnet").__attrs_attrs__}
    options = {"widths": widths, "res_blocks": 1, "num_heads": 2, "transformer_width": widths[-1]}
    return sbicore.build(
        network,
        subnet=subnet,
        subnet_kwargs={name: value for name, value in options.items() if name in known},
        inference_variables=["field"],
        inference_conditions=["image"],
    )


def test_a_short_fit_is_near_the_exact_posterior():
    """150 steps give an error 5 % above the optimum, half of it by the number of draws, and a deviation within 5 %."""
    model = build("flow_matching", "unet", [16, 32])
    options = {"steps": 150, "batch_size": 64, "learning_rate": 1e-3, "ema_decay": 0.99, "compile": "never"}
    model.fit(TASK.sample(4_000, seed=1), **options, seed=1, progress=False)
    test = TASK.sample(40, seed=2)
    draws = model.sample({"image": test["image"]}, 19, seed=2, progress=False)["field"].astype(float)
    found = measured(draws, TASK, test)
    assert found["rmse"] < 1.1
    assert np.abs(found["sd"] - 1).mean() < 0.1
    assert abs(found["coverage 50"]) < 0.1
    assert abs(found["coverage 90"]) < 0.06


@pytest.mark.slow
@pytest.mark.parametrize("subnet", SUBNETS)
@pytest.mark.parametrize("network", ["flow_matching", "diffusion_model"])
def test_minutes_of_training_reach_the_stated_accuracy(network, subnet):
    """16 x 16 pixels on an accelerator, 8 x 8 elsewhere; 200 fields and 99 draws put 0.5 % on top of the error."""
    large = torch.cuda.is_available()
    task = GaussianFieldTask((16, 16) if large else (8, 8))
    model = build(network, subnet, [32, 64, 64] if large else [16, 32])
    where = {"steps": 5_000, "device": "cuda"} if large else {"steps": 2_000}
    options = {"batch_size": 64, "learning_rate": 1e-3, "compile": "never", **where}
    model.fit(task.sample(50_000, seed=1), **options, seed=1, progress=False)
    test = task.sample(200, seed=2)
    draws = model.sample({"image": test["image"]}, 99, seed=2, progress=False)["field"].astype(float)
    found = measured(draws, task, test)
    parameters = sum(parameter.numel() for parameter in model.network.parameters())
    found["sd"] = np.abs(found["sd"] - 1).max()
    print(network, subnet, {"parameters": parameters, "seconds": sum(model.history.seconds)}, found)
    assert found["rmse"] < 1.1
    assert found["sd"] < 0.1
    assert abs(found["coverage 50"]) < 0.03
    assert abs(found["coverage 90"]) < 0.03
