"""Shapes, names, seeds and bad input of sample and log_prob."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import sbicore
from sbicore.errors import (
    ConfigError,
    DataError,
    DataWarning,
    InvalidComponentError,
    NotBuiltError,
    SamplingError,
    SamplingWarning,
    ShapeError,
    UnknownHyperparameterError,
)

QUIET = {"progress": False}


def build(**arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [16]},
        **{"inference_variables": ["theta"], "inference_conditions": ["x"], **arguments},
    )


def fit(model, data, **options):
    model.fit(data, **{"epochs": 2, "batch_size": 32, "seed": 1, **QUIET, **options})
    return model


def test_many_observations_keep_their_axis(trained):
    draws = trained.sample({"x": np.zeros((3, 2))}, 5, seed=1, **QUIET)
    assert draws["theta"].shape == (3, 5, 2)
    assert draws["theta"].dtype == np.float32


def test_one_observation_may_leave_its_axis_out(trained):
    with_axis = trained.sample({"x": [[0.5, 1.0]]}, 5, seed=1, **QUIET)["theta"]
    without = trained.sample({"x": [0.5, 1.0]}, 5, seed=1, **QUIET)["theta"]
    assert with_axis.shape == (1, 5, 2)
    assert np.array_equal(with_axis, without)


def test_scalar_variables_come_back_as_scalars():
    rng = np.random.default_rng(0)
    data = {"a": rng.normal(size=200), "b": rng.normal(size=(200, 2)), "x": rng.normal(size=200)}
    model = fit(build(inference_variables=["a", "b"]), data)
    draws = model.sample({"x": [0.0, 1.0, 2.0]}, 4, seed=1, **QUIET)
    assert draws["a"].shape == (3, 4)
    assert draws["b"].shape == (3, 4, 2)
    assert model.sample({"x": 0.3}, 4, seed=1, **QUIET)["a"].shape == (1, 4)


def test_role_names_need_no_declaration():
    rng = np.random.default_rng(0)
    model = sbicore.build("flow_matching", subnet_kwargs={"widths": [16]})
    fit(model, {"inference_variables": rng.normal(size=(200, 1)), "inference_conditions": rng.normal(size=(200, 3))})
    draws = model.sample({"inference_conditions": np.zeros((2, 3))}, 4, seed=1, **QUIET)
    assert draws["inference_variables"].shape == (2, 4, 1)


def test_a_network_without_conditions_gives_draws_alone():
    rng = np.random.default_rng(0)
    model = fit(build(inference_conditions=None), {"theta": 3 + rng.normal(size=(500, 2))}, epochs=10)
    assert model.sample(num_samples=7, seed=1, **QUIET)["theta"].shape == (7, 2)
    assert model.log_prob({"theta": np.zeros((4, 2))}, **QUIET).shape == (4,)
    with pytest.raises(DataError, match="trained without conditions, and is given 'x'"):
        model.sample({"x": [1.0]}, 3, **QUIET)
    with pytest.raises(DataError, match=r"(?s)trained without conditions, and is given 5\n.*sample\(num_samples="):
        model.sample(5, **QUIET)


def test_tensors_on_request(trained):
    assert isinstance(trained.sample({"x": [0.0, 0.0]}, 2, seed=1, as_tensor=True, **QUIET)["theta"], torch.Tensor)


def test_the_report_tells_cost_and_seed(trained):
    draws, report = trained.sample({"x": [0.0, 0.0]}, 2, report=True, steps=7, method="euler", **QUIET)
    assert report.evaluations == report.steps == 7
    again = trained.sample({"x": [0.0, 0.0]}, 2, seed=report.seed, steps=7, method="euler", **QUIET)
    assert np.array_equal(draws["theta"], again["theta"])


def test_draws_do_not_depend_on_company_chunks_or_position(trained):
    x = np.random.default_rng(1).normal(size=(4, 2))
    for options in ({}, {"method": "dopri5"}):
        together = trained.sample({"x": x}, 1200, seed=3, **options, **QUIET)["theta"]
        chunked = trained.sample({"x": x}, 1200, seed=3, chunk_size=300, **options, **QUIET)["theta"]
        first = trained.sample({"x": x[:1]}, 1200, seed=3, **options, **QUIET)["theta"]
        np.testing.assert_allclose(together, chunked, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(together[:1], first, rtol=1e-4, atol=1e-4)


def test_blocks_of_one_observation_differ(trained):
    draws = trained.sample({"x": [0.0, 0.0]}, 2000, seed=3, **QUIET)["theta"][0]
    assert len(np.unique(draws[:, 0])) == 2000


def test_log_prob_takes_one_observation_for_all_rows(trained):
    theta = np.random.default_rng(2).normal(size=(5, 2))
    shared = trained.log_prob({"theta": theta, "x": [0.1, 0.2]}, **QUIET)
    each = trained.log_prob({"theta": theta, "x": np.tile([0.1, 0.2], (5, 1))}, **QUIET)
    np.testing.assert_allclose(shared, each, rtol=1e-5)


def test_log_prob_is_in_the_users_space(linear_data):
    """A change of units of theta by s changes the log density by -log s for each entry."""
    base = fit(build(), linear_data, epochs=5)
    scaled = fit(build(), {"theta": 100 * linear_data["theta"], "x": linear_data["x"]}, epochs=5)
    theta, x = linear_data["theta"][:8], linear_data["x"][:8]
    difference = base.log_prob({"theta": theta, "x": x}, **QUIET) - scaled.log_prob(
        {"theta": 100 * theta, "x": x}, **QUIET
    )
    np.testing.assert_allclose(difference, 2 * np.log(100), atol=2e-3)


def test_density_with_adapter_and_bounds_integrates_to_one():
    rng = np.random.default_rng(0)
    theta = rng.uniform(0, 1, size=2000)
    data = {"theta": theta, "x": theta + 0.2 * rng.normal(size=2000)}
    model = fit(build(bounds={"theta": (0.0, 1.0)}), data, epochs=15)
    grid = np.linspace(0, 1, 801)
    density = np.exp(model.log_prob({"theta": grid, "x": 0.5}, **QUIET).astype(float))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=5e-3)
    outside = model.log_prob({"theta": [-0.1, 0.5, 1.1], "x": 0.5}, **QUIET)
    assert np.isneginf(outside[[0, 2]]).all()
    assert np.isfinite(outside[1])


def test_draws_never_leave_transformed_bounds():
    rng = np.random.default_rng(0)
    theta = rng.uniform(-1, 1, size=(1000, 2))
    model = fit(build(bounds={"theta": (-1.0, 1.0)}), {"theta": theta, "x": theta}, epochs=3)
    with pytest.warns(DataWarning, match="far outside the training data in 1 of 2"):
        draws = model.sample({"x": [[0.99, -0.99], [5.0, 5.0]]}, 2000, seed=1, **QUIET)["theta"]
    assert draws.min() >= -1
    assert draws.max() <= 1


def test_rejection_keeps_draws_inside_and_reports_acceptance(linear_data):
    model = fit(build(bounds={"theta": (-0.5, None)}, out_of_bounds="reject"), linear_data, epochs=5)
    draws, report = model.sample({"x": [0.0, 0.0]}, 300, seed=1, report=True, **QUIET)
    assert draws["theta"].min() >= -0.5
    assert 0 < report.acceptance < 1


def test_rejection_has_a_budget(linear_data):
    model = fit(build(bounds={"theta": (1e6, None)}, out_of_bounds="reject"), linear_data, epochs=1)
    with pytest.raises(SamplingError, match="still leave the bounds"):
        model.sample({"x": [0.0, 0.0]}, 5, seed=1, steps=1, method="euler", **QUIET)


def test_warned_bounds_are_counted(linear_data):
    model = fit(build(bounds={"theta": (0.0, None)}, out_of_bounds="warn"), linear_data, epochs=1)
    with pytest.warns(SamplingWarning, match="of 50 draws leave the bounds"):
        model.sample({"x": [0.0, 0.0]}, 50, seed=1, **QUIET)


def test_rows_with_nan_are_dropped_and_counted(linear_data):
    data = {name: value.copy() for name, value in linear_data.items()}
    data["x"][:5, 0] = np.nan
    data["theta"][7] = np.inf
    with pytest.warns(DataWarning, match=r"6 of 2000 rows dropped .*x: 5.*|6 of 2000 rows dropped .*theta: 1"):
        fit(build(), data, epochs=1)


def test_masked_entries_are_missing_ones(linear_data):
    x = np.ma.masked_array(linear_data["x"], mask=False)
    x[3, 0] = np.ma.masked
    with pytest.warns(DataWarning, match="1 of 2000 rows dropped"):
        fit(build(), {"theta": linear_data["theta"], "x": x}, epochs=1)


def test_too_many_invalid_rows_are_an_error(linear_data):
    data = {name: value.copy() for name, value in linear_data.items()}
    data["x"][:500] = np.nan
    with pytest.raises(DataError, match="500 of 2000 rows have NaN or infinite values"):
        fit(build(), data)
    with pytest.warns(DataWarning, match="500 of 2000"):
        fit(build(), data, epochs=1, max_invalid_share=0.3)
    data["x"][:] = np.nan
    with pytest.raises(DataError, match="2000 of 2000"):
        fit(build(), data, max_invalid_share=1.0)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda d: d.pop("x"), DataError, "x"),
        (lambda d: d.update(x=d["x"][:-1]), ShapeError, "different numbers of rows: theta 2000, x 1999"),
        (lambda d: d.update(theta=np.zeros((0, 2)), x=np.zeros((0, 2))), DataError, "no rows"),
        (lambda d: d.update(theta=np.array(["a"] * 2000)), DataError, "not numeric"),
        (lambda d: d.update(theta=3.0), DataError, "single number"),
        (lambda d: d.clear(), DataError, "data are empty"),
    ],
)
def test_bad_training_data_name_the_variable(linear_data, change, error, words):
    data = dict(linear_data)
    change(data)
    with pytest.raises(error, match=words):
        fit(build(), data)


@pytest.mark.parametrize(
    ("conditions", "error", "words"),
    [
        ({"x": np.zeros((3, 5))}, ShapeError, r"'x' has shape \(3, 5\), expected \(N, 2\)"),
        ({"x": np.zeros((3, 2, 2))}, ShapeError, r"'x' has shape \(3, 2, 2\)"),
        ({"y": np.zeros((3, 2))}, DataError, "conditions lack x\n"),
        ({"X": np.zeros((3, 2))}, DataError, "conditions lack x: 'X' is given where 'x' is needed\nFound: X"),
        ({}, DataError, "empty"),
        (None, DataError, "conditions are missing"),
        ({"x": np.zeros((0, 2))}, DataError, "no rows"),
        ({"x": [[0.0, 0.0], [np.nan, 1.0]]}, DataError, "'x' is not finite in 1 of 2 observations, first in number 1"),
    ],
)
def test_bad_conditions_name_the_variable(trained, conditions, error, words):
    with pytest.raises(error, match=words):
        trained.sample(conditions, 3, **QUIET)


@pytest.mark.parametrize("count", [0, -1, 2.5, True, "many"])
def test_num_samples_is_a_positive_whole_number(trained, count):
    with pytest.raises(ConfigError, match="num_samples must be a whole number of at least 1"):
        trained.sample({"x": [0.0, 0.0]}, count, **QUIET)


def test_misspelt_options_fail_before_any_work(trained):
    with pytest.raises(UnknownHyperparameterError, match="did you mean 'steps'"):
        trained.sample({"x": [0.0, 0.0]}, 3, step=4, **QUIET)
    with pytest.raises(ConfigError, match="takes given steps and has no tolerances"):
        trained.sample({"x": [0.0, 0.0]}, 3, method="euler", rtol=1e-3, **QUIET)


def test_an_untrained_approximator_says_what_to_do():
    with pytest.raises(NotBuiltError, match="fit"):
        build().sample({"x": [0.0, 0.0]}, 3)


def test_a_config_says_how_to_get_a_network():
    with pytest.raises(NotBuiltError, match="sbicore.build"):
        sbicore.networks.FlowMatching().sample(3)


def test_integer_and_float64_input_are_fine():
    rng = np.random.default_rng(0)
    counts = rng.poisson(5, size=(300, 3))
    model = fit(build(), {"theta": rng.normal(size=300), "x": counts})
    assert model.sample({"x": counts[:2]}, 3, seed=1, **QUIET)["theta"].shape == (2, 3)


def test_large_offsets_keep_their_precision(linear_data):
    data = {"theta": linear_data["theta"].astype(np.float64) + 1e9, "x": linear_data["x"]}
    with pytest.warns(DataWarning, match="less than two digits"):
        model = fit(build(), data, epochs=10)
    draws = model.to_user_space(torch.zeros(1, 1, 2))
    assert abs(float(draws["theta"][0, 0, 0]) - 1e9) <= 64
    assert model.log_prob({"theta": data["theta"][:5], "x": data["x"][:5]}, **QUIET).min() > -20


def test_any_module_is_a_subnet(linear_data):
    class Mine(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 7))

        def forward(self, joined):
            return self.net(joined)

    module = Mine()
    model = sbicore.build(
        "flow_matching",
        subnet=sbicore.wrap(module, call="x"),
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    fit(model, linear_data)
    assert model.sample({"x": [0.0, 0.0]}, 3, seed=1, **QUIET)["theta"].shape == (1, 3, 2)
    assert model.network.backbone.subnet.module is not module


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8)), "LayerNorm in the place of nn.BatchNorm1d"),
        (nn.Sequential(nn.Linear(5, 2), nn.BatchNorm1d(2)), "LayerNorm in the place of nn.BatchNorm1d"),
        (nn.Sequential(nn.Linear(5, 8), nn.Flatten()), r"its leading axes should be \(2, 2\)"),
    ],
)
def test_a_module_that_could_train_but_not_draw_is_refused(linear_data, module, words):
    model = sbicore.build(
        "flow_matching",
        subnet=sbicore.wrap(module, call="x"),
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    with pytest.raises(InvalidComponentError, match=words):
        fit(model, linear_data)


@pytest.mark.parametrize(
    ("drops", "words"),
    [
        (
            {"drop_cond_prob": 0.1, "drop_target_prob": 0.1},
            r"\nHere drop_target_prob doubles the features of x and drop_cond_prob adds a feature to the conditions",
        ),
        ({"drop_cond_prob": 0.1}, r"\nHere drop_cond_prob adds"),
        ({}, r"\nUse sbicore.wrap"),
    ],
)
def test_a_module_of_another_width_hears_what_drops_add(linear_data, drops, words):
    model = sbicore.build(
        "flow_matching",
        subnet=sbicore.wrap(nn.Linear(5 if drops else 4, 8), call="x"),
        inference_variables=["theta"],
        inference_conditions=["x"],
        **drops,
    )
    with pytest.raises(InvalidComponentError, match=words):
        fit(model, linear_data)


def test_an_error_at_build_names_the_component(linear_data):
    model = build(base_distribution={"name": "normal", "std": [1.0, 2.0, 3.0]})
    with pytest.raises(ConfigError, match=r"does not broadcast.*@ \$\.base_distribution\.std$"):
        fit(model, linear_data)


def test_a_subnet_without_time_is_refused_with_those_that_fit(linear_data):
    with sbicore.registered(_timeless()), pytest.raises(ConfigError, match="takes no time.*\n.*time_mlp"):
        fit(sbicore.build("flow_matching", subnet="timeless", inference_variables=["theta"]), linear_data)


def _timeless():
    from typing import ClassVar

    from sbicore.config import SubnetConfig, frozen

    @frozen(kw_only=True)
    class Timeless(SubnetConfig):
        name: ClassVar[str] = "timeless"

    return Timeless


def test_arguments_of_build_are_checked():
    with pytest.raises(ConfigError, match="did you mean 'inference_variables'"):
        build(inference_variabels=["theta"])
    with pytest.raises(ConfigError, match="'theta' has two roles"):
        build(inference_conditions=["theta"])
    with pytest.raises(ConfigError, match="did you mean 'reject'"):
        build(out_of_bounds="rejct")
    with pytest.raises(ConfigError, match="low must be below high"):
        build(bounds={"theta": (1.0, 0.0)})
    with pytest.raises(ConfigError, match="summary_variables"):
        fit(build(summary_variables=["x"], inference_conditions=None), {"theta": np.zeros(9), "x": np.zeros(9)})
