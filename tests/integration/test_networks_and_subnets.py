"""Every inference network with every subnet of its shape, as the registry finds them."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import sbicore
from sbicore.errors import ConfigError
from sbicore.registry import resolve

NETWORKS = [row["name"] for row in sbicore.plugins("inference_network")]
SUBNETS = [row["name"] for row in sbicore.plugins("subnet") if resolve(row["name"], kind="subnet").layout == "vector"]
SMALL = {"widths": [16, 16], "width": 16, "depth": 2, "num_heads": 2, "dropout": 0.05}


@pytest.mark.parametrize("subnet", SUBNETS)
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("parameters", [1, 3])
@pytest.mark.parametrize("conditions", [0, 2])
def test_they_train_draw_and_weigh(network, subnet, parameters, conditions):
    rng = np.random.default_rng(0)
    known = attrs.fields_dict(resolve(subnet, kind="subnet"))
    data = {"theta": rng.normal(size=(200, parameters)), **({"x": rng.normal(size=(200, 2))} if conditions else {})}
    model = sbicore.build(
        network,
        subnet=subnet,
        subnet_kwargs={name: value for name, value in SMALL.items() if name in known},
        inference_variables=["theta"],
        inference_conditions=["x"] if conditions else None,
    )
    try:
        history = model.fit(data, epochs=1, batch_size=50, seed=1, progress=False)
    except ConfigError as error:
        if "Subnets that fit: " not in str(error):
            raise
        pytest.skip(str(error))
    assert np.isfinite(history.loss).all()
    observed = {"x": data["x"][:1]} if conditions else None
    able = model.config.capabilities
    assert "sample" in able or "estimate" in able
    if "sample" in able:
        draws = model.sample(observed, 1, seed=1, progress=False)["theta"]
        assert draws.shape == ((1, 1, parameters) if conditions else (1, parameters))
    if "estimate" in able:
        found = model.estimate(observed)
        assert all(np.isfinite(value).all() for statistics in found.values() for value in statistics.values())
    if "log_prob" in able:
        given = {"theta": data["theta"][:3], **({"x": data["x"][:3]} if conditions else {})}
        assert np.isfinite(model.log_prob(given, progress=False)).all()
