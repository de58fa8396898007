"""What a fit that failed leaves behind: nothing of a first one, the weights of an earlier one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import (
    ConfigError,
    DataError,
    DataWarning,
    NotBuiltError,
    SamplingError,
    ShapeError,
    TrainingError,
    TrainingWarning,
)

QUIET = {"progress": False}


def build(**arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [16]},
        **{"inference_variables": ["theta"], "inference_conditions": ["x"], **arguments},
    )


def fit(model, data, **options):
    return model.fit(data, **{"epochs": 2, "batch_size": 32, "seed": 1, **QUIET, **options})


def failing(_, event):
    raise ZeroDivisionError("in a callback")


def test_a_first_fit_without_a_step_leaves_nothing_trained(linear_data, tmp_path):
    model = build()
    with pytest.raises(ZeroDivisionError):
        fit(model, linear_data, callbacks=[failing])
    with pytest.raises(NotBuiltError):
        model.sample({"x": [0.0, 0.0]}, 3)
    with pytest.raises(NotBuiltError):
        model.save(tmp_path / "m.sbi")


def test_a_failed_first_fit_does_not_fix_the_shapes(linear_data):
    model = build()
    with pytest.raises(ShapeError, match="Flatten the conditions"):
        fit(model, {"theta": linear_data["theta"], "x": linear_data["x"].reshape(-1, 2, 1)})
    with pytest.raises(DataError):
        fit(model, {"theta": linear_data["theta"] * np.nan, "x": linear_data["x"]})
    fit(model, linear_data)
    assert model.sample({"x": [0.0, 0.0]}, 3, seed=1, **QUIET)["theta"].shape == (1, 3, 2)


def test_an_interruption_before_the_first_step_teaches_nothing(linear_data):
    def interrupt(_, event):
        if event.kind == "started":
            raise KeyboardInterrupt

    model = build()
    with pytest.warns(TrainingWarning, match="nothing has been learnt yet"):
        history = fit(model, linear_data, callbacks=[interrupt])
    assert history.stopped == "interrupted"
    with pytest.raises(NotBuiltError):
        model.sample({"x": [0.0, 0.0]}, 3)


def test_a_failed_second_fit_keeps_the_first(linear_data):
    model = build()
    fit(model, linear_data)
    before = model.sample({"x": [0.0, 0.0]}, 5, seed=1, **QUIET)["theta"]
    with pytest.raises(ShapeError):
        fit(model, {"theta": linear_data["theta"], "x": np.zeros((2000, 3))})
    with pytest.raises(ZeroDivisionError):
        fit(model, linear_data, callbacks=[failing])
    assert np.array_equal(before, model.sample({"x": [0.0, 0.0]}, 5, seed=1, **QUIET)["theta"])


@pytest.mark.parametrize("options", [{"learning_rate": 1e30, "clip_norm": None}, {"weight_decay": 1e9}])
def test_a_fit_without_a_finite_validation_loss_changes_nothing(linear_data, options):
    model = build()
    with pytest.raises(TrainingError, match=r"None of \d+ epochs had a finite validation loss; the weights are those"):
        fit(model, linear_data, **options)
    with pytest.raises(NotBuiltError):
        model.sample({"x": [0.0, 0.0]}, 3)
    fit(model, linear_data)
    before = model.sample({"x": [0.0, 0.0]}, 5, seed=1, **QUIET)["theta"]
    with pytest.raises(TrainingError):
        fit(model, linear_data, **options)
    assert np.array_equal(before, model.sample({"x": [0.0, 0.0]}, 5, seed=1, **QUIET)["theta"])


def test_weights_that_overflow_without_validation_data_are_not_kept(linear_data):
    model = build()
    fit(model, linear_data)
    before = {name: value.clone() for name, value in model.network.named_parameters()}
    with pytest.raises(TrainingError, match="overflowed"):
        fit(model, linear_data, learning_rate=1e4, weight_decay=1e38, validation_fraction=0.0)
    assert all(torch.equal(before[name], value) for name, value in model.network.named_parameters())


def test_divergence_without_validation_data_does_not_speak_of_best_weights(linear_data):
    model = build()
    with pytest.warns(TrainingWarning, match="stopped and the averaged weights of that moment are kept"):
        fit(model, linear_data, weight_decay=1e9, validation_fraction=0.0)


def test_draws_of_a_network_that_are_not_finite_are_not_laid_to_the_adapter(linear_data, monkeypatch):
    model = build()
    fit(model, linear_data)
    inner = model.network.sample
    monkeypatch.setattr(model.network, "sample", lambda *a, **k: inner(*a, **k) * float("nan"))
    with pytest.raises(SamplingError, match=r"draws of theta are not finite\.\nThe network's own draws are not"):
        model.sample({"x": [0.0, 0.0]}, 3, seed=1, **QUIET)


@pytest.mark.parametrize("standardize", ["all", None])
def test_a_density_in_inference_mode_is_that_outside(linear_data, tmp_path, standardize):
    model = build(standardize=standardize)
    fit(model, linear_data)
    model.save(tmp_path / "model.sbi")
    rows = {name: value[:3] for name, value in linear_data.items()}
    outside = model.log_prob(rows, **QUIET)
    with torch.inference_mode():
        tensors = {name: torch.tensor(value) for name, value in rows.items()}
        assert np.array_equal(outside, model.log_prob(tensors, **QUIET))
        assert np.array_equal(outside, sbicore.load(tmp_path / "model.sbi").log_prob(tensors, **QUIET))


def test_it_works_whatever_the_default_dtype_and_grad_mode(linear_data):
    torch.set_default_dtype(torch.float64)
    try:
        model = build()
        with torch.no_grad():
            fit(model, linear_data)
        assert model.sample({"x": [0.0, 0.0]}, 3, seed=1, **QUIET)["theta"].dtype == np.float32
        assert np.isfinite(model.log_prob({name: value[:2] for name, value in linear_data.items()}, **QUIET)).all()
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("device", ["gpu", "cuda:99", 3.5])
def test_unusable_devices_are_refused(linear_data, device):
    with pytest.raises(ConfigError, match="cannot be used"):
        fit(build(), linear_data, device=device)


def test_offsets_that_float32_cannot_resolve_are_warned_of(linear_data):
    with pytest.warns(DataWarning, match="less than two digits"):
        fit(build(), {"theta": 2459000.5 + 0.1 * linear_data["theta"].astype(float), "x": linear_data["x"]})


def test_infinite_bounds_leave_a_side_open(linear_data):
    model = build(bounds={"theta": (-np.inf, 9.0)})
    assert model.bounds == {"theta": (None, 9.0)}
    with pytest.raises(ConfigError, match="must be a dict"):
        build(bounds=[(0, 1)])
    with pytest.raises(ConfigError, match="which is not inferred"):
        fit(build(bounds={"x": (-99.0, 99.0)}), linear_data)


def test_a_density_outside_rejected_bounds_is_zero(linear_data):
    model = build(bounds={"theta": (-0.5, None)}, out_of_bounds="reject")
    fit(model, linear_data)
    found = model.log_prob({"theta": [[-1.0, 0.0], [0.0, 0.0]], "x": [0.0, 0.0]}, **QUIET)
    assert np.isneginf(found[0])
    assert np.isfinite(found[1])


def test_misspelt_call_arguments_find_their_match(trained):
    with pytest.raises(ConfigError, match="did you mean 'num_samples'"):
        trained.sample({"x": [0.0, 0.0]}, num_sample=3)


def test_draws_given_back_to_log_prob_are_explained(trained):
    draws = trained.sample({"x": [0.0, 0.0]}, 3, seed=1, **QUIET)
    with pytest.raises(ShapeError, match=r"give theta\[0\]"):
        trained.log_prob({**draws, "x": [0.0, 0.0]})
    assert trained.log_prob({"theta": draws["theta"][0], "x": [0.0, 0.0]}, **QUIET).shape == (3,)
