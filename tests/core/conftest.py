"""What several test files look at: a small trained approximator, and the result of one conformance check."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore.testing import checks
from sbicore.testing._runner import attempt


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


@pytest.fixture
def verdict():
    """`verdict(config, "check_order")` is the result of that one check of the conformance kit."""

    def ask(config, name):
        (check,) = (check for check in checks(config) if check.__name__ == name)
        return attempt(check, config)[0]

    return ask
