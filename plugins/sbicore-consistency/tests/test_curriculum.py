"""The curriculum of consistency training, its counter, and what `fit` is told of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sbicore_consistency import ConsistencyModel

import sbicore
from sbicore.errors import ConfigError
from sbicore.shapes import Shapes
from sbicore.testing import TinySubnet


def data(rows=256):
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(rows, 2))
    return {"theta": theta, "x": theta + rng.normal(size=(rows, 2))}


def approximator(**hyperparameters):
    roles = {"inference_variables": ["theta"], "inference_conditions": ["x"]}
    return sbicore.build("consistency_model", subnet_kwargs={"widths": [8]}, **hyperparameters, **roles)


QUICK = {"batch_size": 32, "validation_fraction": 0.0, "seed": 1, "progress": False}


def paper(step, total, s0=10, s1=150):
    """arXiv:2310.14189, section 3.4, without its last `+ 1`, which counts levels and not intervals."""
    stage = math.floor(total / (math.log2(math.floor(s1 / s0)) + 1))
    return min(s0 * 2 ** math.floor(step / stage), s1)


@pytest.mark.parametrize("total", [500, 4_000, 100_001])
def test_intervals_are_those_of_the_paper(total):
    network = ConsistencyModel(total_steps=total, subnet=TinySubnet()).build(Shapes(target=(2,)))
    steps = sorted({0, 1, total - 1, *range(0, total, max(1, total // 97))})
    found = [int(network.intervals(torch.tensor(step))) for step in steps]
    assert found == [paper(step, total) for step in steps]
    assert set(found) == {10, 20, 40, 80, 150}


def test_a_fit_by_name_alone_fixes_the_curriculum_and_a_second_goes_on_at_its_end():
    model = approximator()
    model.fit(data(), steps=24, **QUICK)
    assert (int(model.network.total_steps), int(model.network.step)) == (24, 24)
    model.fit(data(), steps=8, **QUICK)
    assert (int(model.network.total_steps), int(model.network.step)) == (24, 32)
    assert int(model.network.intervals(model.network.step)) == 150


def test_a_resumed_fit_goes_on_in_the_curriculum_after_save_and_load(tmp_path):
    model = approximator(total_steps=48)
    model.fit(data(), steps=24, **QUICK)
    model.save(tmp_path / "half.sbi")
    half = sbicore.load(tmp_path / "half.sbi")
    assert int(half.network.step) == 24
    assert int(half.network.intervals(half.network.step)) == paper(24, 48)
    half.fit(data(), steps=24, **QUICK)
    with pytest.raises(ConfigError, match="of which 48 are done, and 8 are asked for"):
        half.fit(data(), steps=8, **QUICK)


def test_validation_is_not_counted():
    model = approximator(total_steps=100)
    model.fit(data(), steps=21, **{**QUICK, "validation_fraction": 0.25})
    assert int(model.network.step) == model.history.steps


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        ({"total_steps": 5}, "too short for a curriculum"),
        ({"s0": 200}, "must not exceed s1"),
        ({"eps": 90.0}, "must be below max_time"),
        ({"total_steps": 0}, "must be >= 1"),
    ],
)
def test_what_cannot_be_trained_is_refused(wrong, found):
    with pytest.raises(ConfigError, match=found):
        ConsistencyModel(**wrong)


def test_a_density_is_refused_and_networks_that_have_one_are_named():
    model = approximator()
    model.fit(data(), steps=8, **QUICK)
    with pytest.raises(ConfigError, match=r"'consistency_model' has no density\.\nNetworks with log_prob: "):
        model.log_prob(data())
