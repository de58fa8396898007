"""Observations far outside the training data are told."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import sbicore
from sbicore.errors import DataWarning

pytest.importorskip("sbicore_flow_matching")

FIT = {"steps": 2, "batch_size": 64, "compile": "never", "progress": False, "seed": 1}
ASK = {"num_samples": 5, "seed": 3, "progress": False}


def fitted(data, **build):
    model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, inference_variables=["theta"], **build)
    model.fit(data, **FIT)
    return model


def draws(model, **conditions):
    """Of one call, and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = model.sample(conditions, **ASK)
    assert all(np.isfinite(value).all() for value in found.values())
    return [str(warning.message) for warning in caught]


@pytest.fixture(scope="module")
def uniform():
    x = np.random.default_rng(0).uniform(2.0, 4.0, (500, 3))
    x[0], x[1] = 2.0, 4.0
    return {"theta": x[:, :1], "x": x}


@pytest.mark.parametrize("standardize", ["all", None])
def test_a_value_is_far_where_it_is_outside_by_the_width_of_the_range(uniform, standardize, tmp_path):
    model = fitted(uniform, inference_conditions=["x"], standardize=standardize)
    model.save(tmp_path / "model.sbi")
    for asked in (model, sbicore.load(tmp_path / "model.sbi")):
        assert not draws(asked, x=[[0.001, 3.0, 5.999]])
        (message,) = draws(asked, x=[[3.0, 3.0, 3.0], [3.0, -0.001, 6.001]])
        assert "x[1], x[2] far outside the training data in 1 of 2 observations; x[1] was 2 to 4 there" in message


def test_the_warning_points_at_the_call(uniform):
    model = fitted(uniform, inference_conditions=["x"])
    with pytest.warns(DataWarning, match="far outside") as caught:
        model.sample({"x": [[3.0, 3.0, 30.0]]}, **ASK)
    assert caught[0].filename == __file__


def test_a_second_fit_widens_the_range(uniform):
    model = fitted(uniform, inference_conditions=["x"])
    with pytest.warns(DataWarning, match="far from the data of the first fit"):
        model.fit({"theta": 10 * uniform["theta"], "x": 10 * uniform["x"]}, **FIT)
    model.fit(uniform, **FIT)
    assert not draws(model, x=[[3.0, 3.0, 70.0]])


def test_constant_features_may_differ_by_rounding(uniform):
    with pytest.warns(DataWarning, match="constant"):
        model = fitted(uniform | {"x": np.full((500, 1), 0.1)}, inference_conditions=["x"])
    assert not draws(model, x=np.full((1, 1), 0.1, np.float32))
    assert draws(model, x=[[0.11]])


def test_masked_values_are_neither_in_the_range_nor_looked_at(uniform):
    x = uniform["x"].copy()
    x[5, 1] = np.nan
    model = fitted(uniform | {"x": x}, inference_conditions=["x"], missing="mask")
    assert not draws(model, x=[[3.0, np.nan, 3.0]])
    assert "x[2] far outside" in draws(model, x=[[3.0, np.nan, 7.0]])[0]


def test_sets_and_what_is_padded(uniform):
    pytest.importorskip("sbicore_set_transformer")
    sets = np.random.default_rng(1).uniform(2.0, 4.0, (500, 6, 1))
    mask = np.ones((500, 6))
    mask[:, 4:] = np.arange(500)[:, None] % 2
    data = {"theta": uniform["theta"], "x": np.where(mask[..., None] == 1, sets, 1e6), "summary_mask": mask}
    model = fitted(data, summary_network="deep_set", summary_variables=["x"])
    assert "x[0] far outside" in draws(model, x=np.full((1, 3, 1), 9.0))[0]
    assert not draws(model, x=[[[3.0], [3.0], [1e6]]], summary_mask=[[1, 1, 0]])


def test_a_store_knows_its_range(uniform, tmp_path):
    sbicore.write_store(tmp_path / "store", uniform)
    model = sbicore.build(
        "flow_matching", subnet_kwargs={"widths": [8]}, inference_variables=["theta"], inference_conditions=["x"]
    )
    model.fit_disk(tmp_path / "store", **FIT)
    assert not draws(model, x=[[0.1, 3.0, 5.9]])
    assert draws(model, x=[[0.1, 3.0, 6.1]])


@pytest.mark.parametrize(
    ("name", "scale", "shift", "told"),
    [
        ("theta", 1.0, 6.0, r"theta far.*; theta had mean 3\.\d+ and deviation 0\.\d+ there, and has mean 9\.\d+"),
        ("x", 200.0, -600.0, r"x\[0\], x\[1\], x\[2\] far"),
        ("x", 0.005, 3.0, r"x\[0\], x\[1\], x\[2\] far"),
    ],
)
@pytest.mark.parametrize("source", ["memory", "loaded", "batches", "store", "ensemble"])
def test_a_further_fit_on_data_far_from_the_first_is_told(uniform, tmp_path, name, scale, shift, told, source):
    model = fitted(uniform, inference_conditions=["x"], **({"ensemble": 2} if source == "ensemble" else {}))
    data = uniform | {name: scale * uniform[name] + shift}
    if source == "loaded":
        model.save(tmp_path / "model.sbi")
        model = sbicore.load(tmp_path / "model.sbi")
    if source == "store":
        data = sbicore.write_store(tmp_path / "store", data, progress=False)
    with pytest.warns(DataWarning, match=told + r"[\s\S]*\n.*build a new approximator") as caught:
        model.fit([data] if source == "batches" else data, **FIT)
    assert [warning.filename for warning in caught] == [__file__]


def test_a_further_fit_near_the_first_is_not_told(uniform):
    with pytest.warns(DataWarning, match="constant"):
        model = fitted(uniform | {"x": np.full((500, 1), 0.1)}, inference_conditions=["x"])
    for x in (np.full((500, 1), 0.1), 0.1 + 0.001 * uniform["x"][:, :1]):
        model.fit({"theta": 2.0 * uniform["theta"] - 3.0, "x": x}, **FIT)
    model.fit({"theta": np.full((500, 1), 3.0), "x": x}, **FIT)
