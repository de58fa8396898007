"""In a network it learns a known posterior, and gives its draws and densities, saved and loaded too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sbicore_transformer import DiffusionTransformer

import sbicore
from sbicore.shapes import Shapes
from sbicore.testing import GaussianTask

TASK = GaussianTask(2)


@pytest.mark.parametrize("attention", ["cross", "joint"])
def test_it_learns_a_known_posterior(attention, tmp_path):
    posterior = sbicore.build(
        "flow_matching",
        subnet="diffusion_transformer",
        subnet_kwargs={"width": 16, "depth": 2, "num_heads": 2, "attention": attention},
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    options = {"epochs": 20, "batch_size": 256, "learning_rate": 5e-3, "ema_decay": 0.98, "compile": "never"}
    posterior.fit(TASK.sample(8_000, seed=1), **options, seed=1, progress=False)

    observed = np.array([[0.5, -0.5], [1.0, 1.0], [-1.0, 0.3]])
    draws = posterior.sample({"x": observed}, 2_000, seed=1, progress=False)["theta"]
    white = np.linalg.solve(np.linalg.cholesky(TASK.covariance), (draws - TASK.mean(observed)[:, None]).swapaxes(1, 2))
    assert np.abs(white.mean(-1)).max() < 0.2
    assert max(np.abs(np.cov(rows) - np.eye(2)).max() for rows in white) < 0.2

    rows = np.random.default_rng(1).multivariate_normal(TASK.mean(observed[0]), TASK.covariance, 300)
    given = {"theta": rows, "x": np.tile(observed[0], (300, 1))}
    densities = posterior.log_prob(given, rtol=1e-3, atol=1e-3, progress=False)
    assert abs(np.mean(TASK.log_prob(rows, observed[0]) - densities)) < 0.05

    posterior.save(tmp_path / "posterior.sbi")
    again = sbicore.load(tmp_path / "posterior.sbi")
    assert np.array_equal(again.sample({"x": observed}, 2_000, seed=1, progress=False)["theta"], draws)


@pytest.mark.parametrize("attention", ["cross", "joint"])
def test_the_density_has_a_gradient_in_the_targets(attention):
    config = sbicore.configure("flow_matching", subnet=DiffusionTransformer(width=8, depth=1, attention=attention))
    network = shaken(config.build(Shapes(target=(2,), conditions=(3,)))).double()
    targets = torch.randn(2, 1, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    conditions = torch.ones(2, 1, 3, dtype=torch.float64)

    def log_prob(x):
        return network.log_prob(x, conditions, method="rk4", steps=4)

    assert torch.autograd.gradcheck(log_prob, targets.requires_grad_(), rtol=1e-4)


def shaken(network):
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()
