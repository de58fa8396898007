"""A small trained approximator that several test files look at."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore


@pytest.fixture(scope="session")
def linear_data():
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(2000, 2)).astype(np.float32)
    return {"theta": theta, "x": (theta + 0.5 * rng.normal(size=(2000, 2))).astype(np.float32)}


@pytest.fixture(scope="session")
def trained(linear_data):
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [32, 32]},
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    model.fit(linear_data, epochs=20, batch_size=64, seed=1, progress=False)
    return model
