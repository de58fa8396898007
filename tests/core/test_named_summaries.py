"""Several variables of different kinds for one summary network, from the data to draws, densities and artifacts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import sbicore
from sbicore.errors import ConfigError, DataError, ShapeError, TrainingWarning
from sbicore.shapes import SummaryInput

FIT = {"epochs": 2, "batch_size": 64, "compile": "never", "progress": False, "seed": 1}
ASK = {"num_samples": 20, "seed": 3, "progress": False}


class Moments(nn.Module):
    """The mean and log size of a set, the mean of an image."""

    layout = "named"
    inputs = {"trials": SummaryInput("set", {"masks"}), "map.1": SummaryInput("image")}  # noqa: RUF012

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x, mask=None):
        self.seen.append((x, mask))
        trials = x["trials"]
        there = torch.ones(trials.shape[:-1], dtype=torch.bool)
        there = (mask or {}).get("trials", there).unsqueeze(-1)
        count = there.sum(-2).clamp_min(1)
        mean = trials.masked_fill(~there, 0.0).sum(-2) / count
        return torch.cat([mean, count.log(), x["map.1"].flatten(-3).mean(-1, keepdim=True)], -1)


def data(n=200, seed=0, ragged=True):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, 1)).astype(np.float32)
    sizes = rng.integers(2, 9, n) if ragged else [5] * n
    trials = [(t + rng.normal(size=(size, 1))).astype(np.float32) for t, size in zip(theta, sizes, strict=True)]
    image = 100 + 10 * (theta[:, None, None] + rng.normal(size=(n, 4, 4, 1)))
    return {"theta": theta, "trials": trials if ragged else np.stack(trials), "map.1": image.astype(np.float32)}


def padded(found, filler=np.nan, length=11):
    trials = np.full((len(found["trials"]), length, 1), filler, np.float32)
    mask = np.zeros(trials.shape[:2])
    for i, row in enumerate(found["trials"]):
        trials[i, : len(row)], mask[i, : len(row)] = row, 1
    return {**found, "trials": trials, "summary_mask": {"trials": mask}}


def built(module=None, **arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [16]},
        summary_network=module or Moments(),
        inference_variables=["theta"],
        **arguments,
    )


@pytest.fixture(scope="module")
def trained():
    model = built()
    model.fit(data(), validation_fraction=0.0, **FIT)
    return model


def test_each_variable_is_standardised_on_its_own(trained):
    entries, pixels = np.concatenate(data()["trials"]), data()["map.1"]
    for name, values in (("trials", entries), ("map.1", pixels)):
        found = trained.standardizer(f"summary_variables:{name}")
        np.testing.assert_allclose(found.mean, values.mean(), rtol=1e-5)
        np.testing.assert_allclose(found.std, values.std(), rtol=1e-5)


def test_variables_and_masks_come_by_name(trained):
    x, mask = trained.summary_network.seen[-1]
    assert set(x) == {"trials", "map.1"} and set(mask) == {"trials"}
    complete = built()
    complete.fit(data(ragged=False), **FIT)
    assert complete.summary_network.seen[-1][1] is None


@pytest.mark.parametrize("filler", [0.0, 1e6, np.nan])
def test_padded_variables_with_masks_are_the_variables_themselves(trained, filler):
    same = built()
    same.fit(padded(data(), filler), validation_fraction=0.0, **FIT)
    observed = data(5, seed=1)
    found = padded(observed, filler)
    flat = {**found, "summary_mask:trials": found["summary_mask"]["trials"]}
    del flat["summary_mask"]
    expected = trained.log_prob(observed, progress=False)
    for one in (found, flat):
        np.testing.assert_allclose(same.log_prob(one, progress=False), expected, atol=1e-4)


def test_each_observation_is_read_as_if_it_were_alone(trained):
    observed = data(4, seed=1)
    together = trained.log_prob(observed, progress=False)
    for i in range(4):
        alone = {"theta": observed["theta"][i], "trials": observed["trials"][i], "map.1": observed["map.1"][i]}
        np.testing.assert_allclose(trained.log_prob(alone, progress=False), together[i : i + 1], atol=1e-5)


def test_a_source_may_be_missing_as_a_whole(trained):
    observed = data(3, seed=1)
    observed["trials"][1] = np.zeros((0, 1), np.float32)
    assert np.isfinite(trained.log_prob(observed, progress=False)).all()
    one = {"trials": [[], observed["trials"][0]], "map.1": observed["map.1"][:2]}
    expected = trained.sample(one, **ASK)["theta"][:1]
    for nothing in ([np.zeros((0, 1))], [[]], np.zeros((1, 0, 1)), np.zeros((0, 1))):
        given = {"trials": nothing, "map.1": observed["map.1"][:1]}
        np.testing.assert_array_equal(trained.sample(given, **ASK)["theta"], expected)
    holes = data(100)
    holes["trials"][3] = np.zeros((0, 1), np.float32)
    model = built()
    model.fit(holes, **FIT)  # without a warning of rows dropped


def test_an_artifact_brings_all_of_it_back(trained, tmp_path):
    trained.save(tmp_path / "model.sbi")
    again = sbicore.load(tmp_path / "model.sbi", modules={"$summary_network": Moments()})
    observed = data(5, seed=1)
    observed = {name: observed[name] for name in ("trials", "map.1")}
    for name, draws in trained.sample(observed, **ASK).items():
        np.testing.assert_array_equal(again.sample(observed, **ASK)[name], draws)


def test_a_checkpoint_goes_on(tmp_path):
    models = []
    for epochs in ((4,), (2, 4)):
        for stop in epochs:
            model = built()
            path = tmp_path / f"{len(epochs)}.checkpoint"
            if stop < 4:
                with pytest.warns(TrainingWarning, match="interrupted"):
                    model.fit(data(), **{**FIT, "epochs": 4}, checkpoint=path, callbacks=[stop_after(stop)])
            else:
                model.fit(data(), **{**FIT, "epochs": 4}, checkpoint=path)
        models.append(model)
    for one, other in zip(*(model.network.parameters() for model in models), strict=True):
        assert torch.equal(one, other)


def stop_after(epochs):
    def callback(approximator, event):
        if event.kind == "epoch" and event.epoch >= epochs:
            raise KeyboardInterrupt

    return callback


@pytest.mark.parametrize("container", [list, iter])
def test_batches(container):
    parts = [data(40, seed=i) for i in range(4)]
    model = built(missing="mask")
    model.fit(container(parts), **FIT)
    assert model.sample({name: parts[0][name] for name in ("trials", "map.1")}, **ASK)["theta"].shape == (40, 20, 1)


def test_a_simulator_and_names_that_the_adapter_makes():
    def prior(rng):
        return {"theta": rng.normal(size=1)}

    def both(theta, rng):
        return {"x": rng.normal(theta, size=(rng.integers(1, 6), 1)), "y": rng.normal(theta, size=(4, 4, 1))}

    workflow = sbicore.BasicWorkflow(
        [prior, both],
        adapter=sbicore.Adapter().rename("x", "trials").rename("y", "map.1"),
        inference_network="flow_matching",
        subnet_kwargs={"widths": [16]},
        summary_network=Moments(),
        inference_variables=["theta"],
    )
    workflow.fit_online(epochs=2, num_batches_per_epoch=3, batch_size=32, compile="never", progress=False, seed=1)
    observed = workflow.simulate(5, seed=2)
    assert np.isfinite(workflow.log_prob(observed)).all()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["trails", "map.1"], r"name 'trails', which '@module' does not read; did you mean 'trials'\?"),
        (["trials"], r"reads 'map.1', which summary_variables do not name"),
    ],
)
def test_variables_must_be_those_that_the_network_reads(names, message):
    with pytest.raises(ConfigError, match=message):
        built(summary_variables=names)


def test_variables_must_be_in_the_data():
    found = data()
    found["trails"] = found.pop("trials")
    with pytest.raises(DataError, match=r"'trials', which is not in the data; did you mean 'trails'\?"):
        built().fit(found, **FIT)


def test_masks_that_fit_nothing(trained):
    observed = {name: value for name, value in padded(data(3)).items() if name != "theta"}
    mask = observed["summary_mask"]["trials"]
    for given, error, message in (
        (mask, DataError, "one 'summary_mask' for several variables"),
        ({"trails": mask}, DataError, r"a mask of 'trails', which is not summarized; did you mean 'trials'\?"),
        ({"trials": mask[:, :4]}, ShapeError, r"'summary_mask:trials' has shape \(3, 4\)"),
        ({"trials": mask[:2]}, ShapeError, "different numbers of rows"),
        ({"trials": mask, "map.1": np.ones((3, 4, 4))}, ConfigError, "'map.1' cannot leave entries out"),
    ):
        with pytest.raises(error, match=message):
            trained.sample({**observed, "summary_mask": given}, **ASK)
    with pytest.raises(DataError, match="'summary_mask:trials', and rows of different lengths in 'trials'"):
        trained.sample({**observed, "trials": data(3)["trials"]}, **ASK)


class Total(nn.Module):
    def forward(self, x):
        return x.sum(-2)


def test_a_plain_module_need_not_say_its_width():
    for network in (Total(), sbicore.wrap(Total(), "x"), nn.Flatten()):
        model = built(network, summary_variables=["trials"])
        model.fit(data(ragged=False), **FIT)
        assert model.sample({"trials": np.zeros((5, 1))}, **ASK)["theta"].shape == (1, 20, 1)


def test_a_module_that_gives_no_vector_is_told():
    with pytest.raises(sbicore.errors.InvalidComponentError, match=r"has shape \(2, 5, 3\), and should have \(2, S\)"):
        built(nn.Linear(1, 3), summary_variables=["trials"]).fit(data(ragged=False), **FIT)


def test_variables_that_cannot_be_joined_name_the_network_that_reads_them_apart():
    with pytest.raises(ShapeError, match="take 'fusion_network'"):
        built(Total(), summary_variables=["trials", "map.1"]).fit(data(ragged=False), **FIT)
