"""Sets and series of different lengths, and missing values, from the data to draws and densities."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

import sbicore
from sbicore.errors import ConfigError, DataError, DataWarning, ShapeError, SimulatorError

FIT = {"epochs": 2, "batch_size": 64, "compile": "never", "progress": False, "seed": 1}
ASK = {"num_samples": 20, "seed": 3, "progress": False}


class MeanOfEntries(nn.Module):
    """Mean, mean square and size of a set."""

    out_features = 3

    def forward(self, x, mask=None):
        there = torch.ones(x.shape[:-1], dtype=torch.bool) if mask is None else mask
        weight = there.unsqueeze(-1).to(x.dtype)
        count = weight.sum(-2).clamp_min(1.0)
        x = x.masked_fill(~there.unsqueeze(-1), 0.0)
        return torch.cat([x.sum(-2) / count, (x**2).sum(-2) / count, count.log()], -1)


class Unmasked(MeanOfEntries):
    def forward(self, x):
        return super().forward(x)


def ragged(n=300, seed=0, low=2, high=9):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, 1)).astype(np.float32)
    return {
        "theta": theta,
        "x": [(t + rng.normal(size=(rng.integers(low, high), 1))).astype(np.float32) for t in theta],
    }


def as_padded(data, filler, length=12):
    x = np.full((len(data["x"]), length, 1), filler, np.float32)
    mask = np.zeros(x.shape[:2])
    for i, row in enumerate(data["x"]):
        x[i, : len(row)], mask[i, : len(row)] = row, 1
    return {**data, "x": x, "summary_mask": mask}


def built(summary_network=None, **arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [32, 32]},
        summary_network=MeanOfEntries() if summary_network is None else summary_network,
        inference_variables=["theta"],
        summary_variables=["x"],
        **arguments,
    )


@pytest.fixture(scope="module")
def trained():
    model = built()
    model.fit(ragged(), **FIT)
    return model


@pytest.mark.parametrize("filler", [0.0, 1e6, np.nan])
def test_a_padded_set_with_a_mask_is_the_set_itself(trained, filler):
    same = built()
    same.fit(as_padded(ragged(), filler), **FIT)
    observed = ragged(5, seed=1)
    expected = trained.sample({"x": observed["x"]}, **ASK)["theta"]
    found = as_padded(observed, filler)
    np.testing.assert_allclose(
        same.sample({name: found[name] for name in ("x", "summary_mask")}, **ASK)["theta"], expected, atol=1e-5
    )
    np.testing.assert_allclose(same.log_prob(found), trained.log_prob(observed), atol=1e-4)


def test_each_set_is_read_as_if_it_were_alone(trained):
    observed = ragged(4, seed=1)
    together = trained.log_prob(observed, progress=False)
    for i, row in enumerate(observed["x"]):
        alone = trained.log_prob({"theta": observed["theta"][i : i + 1], "x": row}, progress=False)
        np.testing.assert_allclose(alone, together[i : i + 1], atol=1e-5)


def test_padding_has_no_part_in_the_moments(trained):
    entries = np.concatenate(ragged()["x"])
    model = built()
    model.fit(ragged(), validation_fraction=0.0, **FIT)
    for fitted, tolerance in ((model, 1e-6), (trained, 0.1)):
        np.testing.assert_allclose(fitted.standardizer("summary_variables").mean, entries.mean(0), atol=tolerance)
        np.testing.assert_allclose(fitted.standardizer("summary_variables").std, entries.std(0), atol=tolerance)


@pytest.mark.parametrize("container", [list, iter])
def test_batches_of_different_lengths(container):
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(8, 40, 1))
    batches = [
        {"theta": t, "x": t[:, None] + rng.normal(size=(40, size, 1))}
        for t, size in zip(theta, range(2, 10), strict=True)
    ]
    model = built(missing="mask")
    model.fit(container(batches), **FIT)
    assert model.sample({"x": np.zeros((30, 1))}, **ASK)["theta"].shape == (1, 20, 1)


def test_streamed_batches_of_different_lengths_ask_for_masks():
    batches = [{"theta": np.zeros((40, 1)), "x": np.ones((40, size, 1))} for size in (3, 5)]
    with pytest.raises(DataError, match=r"\(5, 1\) now, and of \(3, 1\) .*\n.*missing='mask'"):
        built().fit(batches, **FIT)


def test_a_simulator_may_make_sets_of_any_size():
    def prior(rng):
        return {"theta": rng.normal(size=1)}

    def trials(theta, rng):
        return {"x": rng.normal(theta, size=(rng.integers(1, 6), 1))}

    workflow = sbicore.BasicWorkflow(
        [prior, trials],
        inference_network="flow_matching",
        subnet_kwargs={"widths": [16]},
        summary_network=MeanOfEntries(),
        inference_variables=["theta"],
        summary_variables=["x"],
    )
    workflow.fit_online(epochs=2, num_batches_per_epoch=3, batch_size=32, compile="never", progress=False, seed=1)
    observed = workflow.simulate(7, seed=5)
    assert {row.dtype for row in observed["x"]} == {np.dtype("float32")}
    assert workflow.sample({"x": observed["x"]}, **ASK)["theta"].shape == (7, 20, 1)
    assert np.isfinite(workflow.log_prob(observed)).all()

    def wobbling(theta, rng):
        return {"x": rng.normal(theta, size=(2, rng.integers(1, 6)))}

    with pytest.raises(ShapeError, match="The first axis may vary"):
        sbicore.make_simulator([prior, wobbling]).sample(20, seed=1)


@pytest.fixture(scope="module")
def of_partial_conditions():
    """theta ~ N(0, 1); each of two measurements N(theta, 1) is missing half of the time."""
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(20_000, 1))
    x = theta + rng.normal(size=(20_000, 2))
    x[rng.random(x.shape) < 0.5] = np.nan
    model = sbicore.build(
        "scoring_rule_network",
        normal="mv_normal",
        subnet_kwargs={"widths": [64, 64]},
        inference_variables=["theta"],
        inference_conditions=["x"],
        missing="mask",
    )
    model.fit({"theta": theta, "x": 100 + 10 * x}, **(FIT | {"epochs": 20, "batch_size": 256, "learning_rate": 2e-3}))
    return model


def test_missing_conditions_widen_the_posterior_as_they_should(of_partial_conditions):
    x = np.array([[1.0, 2.0], [1.0, np.nan], [np.nan, -1.5], [np.nan, np.nan]])
    there = np.isfinite(x).sum(1)
    found = of_partial_conditions.estimate({"x": 100 + 10 * x})["normal"]
    np.testing.assert_allclose(found["loc"][:, 0], np.nansum(x, 1) / (1 + there), atol=0.1)
    np.testing.assert_allclose(found["covariance"][:, 0, 0], 1 / (1 + there), rtol=0.15)


def test_what_is_missing_is_still_known_after_saving(of_partial_conditions, tmp_path):
    of_partial_conditions.save(tmp_path / "model.sbi")
    loaded = sbicore.load(tmp_path / "model.sbi")
    x = np.array([[110.0, np.nan]])
    np.testing.assert_array_equal(
        loaded.estimate({"x": x})["normal"]["loc"], of_partial_conditions.estimate({"x": x})["normal"]["loc"]
    )


def test_entries_that_are_nan_are_left_out():
    data = as_padded(ragged(), np.nan)
    del data["summary_mask"]
    model, same = built(missing="mask"), built()
    model.fit(data, **FIT)
    same.fit(ragged(), **FIT)
    observed = ragged(3, seed=1)
    np.testing.assert_allclose(
        model.sample({"x": as_padded(observed, np.nan)["x"]}, **ASK)["theta"],
        same.sample({"x": observed["x"]}, **ASK)["theta"],
        atol=1e-5,
    )


def test_nan_is_no_missing_value_unless_one_says_so(trained):
    data = as_padded(ragged(), np.nan)
    del data["summary_mask"]
    with pytest.raises(DataError, match="NaN or infinite"):
        built().fit(data, **FIT)
    observed = ragged(3, seed=1)
    observed["x"][1][0] = np.nan
    with pytest.raises(DataError, match="'x' is not finite"):
        trained.sample({"x": observed["x"]}, **ASK)


def test_what_an_adapter_makes_nan_is_not_missing():
    model = built(missing="mask", adapter=sbicore.Adapter().log("x"))
    data = as_padded(ragged(), np.nan)
    data["x"] = np.exp(data["x"])
    model.fit(data, **FIT)
    told = r"'x' outside the domain of adapter step 1 \(log\) in 1 of 1 observations, first in number 0"
    with pytest.raises(DataError, match=told):
        model.sample({"x": np.array([[1.0], [-1.0], [2.0]])}, **ASK)


def test_rows_without_entries(trained):
    data = ragged()
    data["x"][7] = np.zeros((0, 1), np.float32)
    with pytest.warns(DataWarning, match="1 of 300 rows dropped.*all entries masked: 1"):
        built().fit(data, **FIT)
    with pytest.raises(DataError, match="observation 1 has no entries"):
        trained.sample({"x": [np.zeros((2, 1)), np.zeros((0, 1))]}, **ASK)
    mask = np.zeros((1, 3))
    with pytest.raises(DataError, match="observation 0 has no entries"):
        trained.sample({"x": np.zeros((1, 3, 1)), "summary_mask": mask}, **ASK)


def test_masks_that_fit_nothing(trained):
    x = np.zeros((2, 3, 1))
    with pytest.raises(ShapeError, match=r"'summary_mask' has shape \(2, 4\).*\n.*\(2, 3\)"):
        trained.sample({"x": x, "summary_mask": np.ones((2, 4))}, **ASK)
    with pytest.raises(DataError, match="other values than 0 and 1"):
        trained.sample({"x": x, "summary_mask": np.full((2, 3), 0.5)}, **ASK)
    with pytest.raises(DataError, match="rows of different lengths in 'x'"):
        trained.sample({"x": [np.zeros((2, 1)), np.zeros((3, 1))], "summary_mask": np.ones((2, 3))}, **ASK)
    with pytest.raises(ShapeError, match=r"expected \(N, any, 1\) or \(any, 1\)"):
        trained.sample({"x": np.zeros((2, 3, 2))}, **ASK)
    plain = sbicore.build("flow_matching", inference_variables=["theta"], inference_conditions=["x"])
    with pytest.raises(DataError, match="no summary network"):
        plain.fit({"theta": np.zeros((9, 1)), "x": np.zeros((9, 1)), "summary_mask": np.ones((9, 1))}, **FIT)
    with pytest.raises(ShapeError, match="'x' has rows of different lengths, and no summary network"):
        plain.fit(ragged() | {"x": [row[:, 0] for row in ragged()["x"]]}, **FIT)


def test_only_the_number_of_entries_may_differ():
    data = ragged()
    data["x"][3] = np.zeros((4, 2))
    with pytest.raises(ShapeError, match=r"rows of different shapes.*\(4, 2\)\n.*first axis only"):
        built().fit(data, **FIT)
    data = ragged()
    data["y"] = data["x"][::-1]
    model = sbicore.build(
        "flow_matching",
        summary_network=MeanOfEntries(),
        inference_variables=["theta"],
        summary_variables=["x", "y"],
    )
    with pytest.raises(ShapeError, match="'x' and 'y' have rows of different lengths"):
        model.fit(data, **FIT)
    data = ragged()
    data["theta"] = list(data["theta"])
    data["theta"][5] = np.zeros(2)
    with pytest.raises(ShapeError, match="'theta'"):
        built().fit(data, **FIT)


def test_networks_without_masks_say_so():
    with pytest.raises(ConfigError, match="cannot leave entries out\n.*deep_set"):
        built(Unmasked()).fit(ragged(), **FIT)
    with pytest.raises(ConfigError, match="missing='msk' is unknown"):
        built(missing="msk")


def test_a_mask_says_nothing_where_all_is_there():
    x = np.random.default_rng(0).normal(size=(300, 5, 1))
    data = {"theta": x.mean(1), "x": x}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, same = built(), built()
        model.fit(data, **FIT)
        same.fit({**data, "summary_mask": np.ones((300, 5), bool)}, **FIT)
    np.testing.assert_allclose(same.log_prob(data), model.log_prob(data), atol=1e-5)


def test_simulators_still_refuse_what_is_no_row():
    with pytest.raises(SimulatorError):
        sbicore.make_simulator(lambda: {"x": [[1.0], [1.0, 2.0]]}).sample(3, seed=1)


def test_misspelt_masks_are_warned_of(trained):
    data = as_padded(ragged(100), 0.0)
    for name, mask in (("summary_masks", data["summary_mask"]), ("Summary_mask:x", data["summary_mask"])):
        given = {"theta": data["theta"], "x": data["x"], name: mask}
        words = f"{name!r} is not used; masks of sets and series are called 'summary_mask'"
        with pytest.warns(DataWarning, match=words) as caught:
            built().fit(given, **FIT)
        observed = {key: value[:2] for key, value in given.items()}
        with pytest.warns(DataWarning, match=words) as caught_later:
            trained.sample({"x": observed["x"], name: observed[name]}, **ASK)
        with pytest.warns(DataWarning, match=words) as caught_last:
            trained.log_prob(observed, progress=False)
        assert {warning.filename for warning in [*caught, *caught_later, *caught_last]} == {__file__}
    with pytest.warns(DataWarning, match="'summary_masks' is not used"):
        trained.sample({"x": data["x"][:2], "summary_masks": {"x": data["summary_mask"][:2]}}, **ASK)
    with pytest.raises(DataError, match="mask of 'y', which is not summarized\nSummarized: x"):
        trained.sample({"x": data["x"][:2], "summary_mask": {"y": data["summary_mask"][:2]}}, **ASK)


def test_sets_that_are_joined_have_the_same_length():
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        summary_network="deep_set",
        inference_variables=["theta"],
        summary_variables=["x", "y"],
    )
    data = ragged(100)
    model.fit({**data, "y": data["x"]}, **FIT)
    longer = [np.zeros((4, 1)), np.zeros((2, 1))]
    for x, y in ((np.zeros((1, 3, 1)), np.zeros((1, 4, 1))), ([np.zeros((3, 1)), np.zeros((2, 1))], longer)):
        with pytest.raises(ShapeError, match=r"these do not fit: x \(3, 1\), y \(4, 1\)\n.*'fusion_network'"):
            model.sample({"x": x, "y": y}, **ASK)


def test_a_value_that_was_never_missing_in_training_is_told(of_partial_conditions, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    x[:20, 0] = np.nan
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        inference_variables=["theta"],
        inference_conditions=["x"],
        missing="mask",
    )
    model.fit({"theta": rng.normal(size=200), "x": x}, **FIT)
    model.save(tmp_path / "m.sbi")
    for one in (model, sbicore.load(tmp_path / "m.sbi")):
        one.sample({"x": [np.nan, 0.0]}, **ASK)
        with pytest.warns(DataWarning, match=r"conditions: x\[1\] missing \(NaN\), as in no row of the tr") as caught:
            one.sample({"x": [[np.nan, np.nan], [0.0, 0.0]]}, **ASK)
        assert [warning.filename for warning in caught] == [__file__]
    of_partial_conditions.sample({"x": [np.nan, np.nan]}, **ASK)


def test_masks_that_nobody_gave_are_not_counted():
    data = ragged(30)
    with pytest.raises(ShapeError, match=r"different numbers of rows: theta 20, x 30\n"):
        built().fit({**data, "theta": data["theta"][:20]}, **FIT)
