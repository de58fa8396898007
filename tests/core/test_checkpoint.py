"""A fit that goes on from its checkpoint ends with the weights of one that was not interrupted."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import ArtifactError, ConfigError, TrainingWarning

pytest.importorskip("sbicore_flow_matching")

rng = np.random.default_rng(1)
THETA = rng.normal(size=(600, 2))
DATA = {"theta": THETA, "x": THETA + 0.5 * rng.normal(size=THETA.shape)}


def draw(n, rng):
    theta = rng.normal(size=(n, 2))
    return {"theta": theta, "x": theta + 0.5 * rng.normal(size=theta.shape)}


def approximator(network="flow_matching", **hyperparameters):
    return sbicore.build(
        network,
        subnet_kwargs={"widths": [16, 16], "dropout": 0.1},
        inference_variables=["theta"],
        inference_conditions=["x"],
        **hyperparameters,
    )


def interrupt_after(epochs):
    def callback(model, event):
        if event.kind == "epoch" and event.epoch == epochs:
            raise KeyboardInterrupt

    return callback


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


OPTIONS = {"epochs": 6, "batch_size": 64, "seed": 3, "progress": False}


def broken_and_resumed(make, data, path, **options):
    """Interrupted in its third epoch; the checkpoint is of the second."""
    with pytest.warns(TrainingWarning, match="interrupted"):
        make().fit(data, checkpoint=path, callbacks=[interrupt_after(3)], **options)
    model = make()
    model.fit(data, checkpoint=path, **options)
    return model


NETWORKS = ["flow_matching", "diffusion_model", "consistency_model", "stable_consistency_model"]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_resumed_run_equals_an_unbroken_one(network, tmp_path):
    whole = approximator(network)
    whole.fit(DATA, **OPTIONS)
    resumed = broken_and_resumed(lambda: approximator(network), DATA, tmp_path / "a", **OPTIONS)
    same(weights(whole), weights(resumed))
    assert resumed.history.loss == whole.history.loss and resumed.history.steps == whole.history.steps
    assert resumed.history.best_epoch == whole.history.best_epoch


def test_simulated_batches_go_on_too(tmp_path):
    simulator = Simulator()
    options = {"epochs": 5, "num_batches_per_epoch": 7, "batch_size": 33, "seed": 3, "progress": False}
    whole = approximator()
    whole.fit(simulator, **options)
    same(weights(whole), weights(broken_and_resumed(approximator, simulator, tmp_path / "a", **options)))


class Simulator:
    def sample(self, n, seed=None):
        return draw(n, np.random.default_rng(seed))


def test_the_seed_is_that_of_the_file(tmp_path):
    options = {**OPTIONS, "seed": None}
    resumed = broken_and_resumed(approximator, DATA, tmp_path / "a", **options)
    whole = approximator()
    whole.fit(DATA, **{**OPTIONS, "seed": resumed.history.seed})
    same(weights(whole), weights(resumed))


def test_a_finished_fit_is_not_trained_again(tmp_path):
    first, second = approximator(), approximator()
    first.fit(DATA, checkpoint=tmp_path / "a", **OPTIONS)
    second.fit(DATA, checkpoint=tmp_path / "a", **OPTIONS)
    same(weights(first), weights(second))
    assert second.history.seconds == first.history.seconds


def test_the_same_process_goes_on_within_the_curriculum(tmp_path):
    def make():
        return approximator("consistency_model", total_steps=48)

    whole = make()
    whole.fit(DATA, **OPTIONS)
    model = make()
    with pytest.warns(TrainingWarning, match="interrupted"):
        model.fit(DATA, checkpoint=tmp_path / "a", callbacks=[interrupt_after(3)], **OPTIONS)
    model.fit(DATA, checkpoint=tmp_path / "a", **OPTIONS)
    same(weights(whole), weights(model))


CHANGES = {
    "other options": ({"learning_rate": 1e-2}, {}, DATA),
    "seed": ({"seed": 4}, {}, DATA),
    "other data": ({}, {}, {**DATA, "x": DATA["x"] + 1e-3}),
    "other network": ({}, {"drop_cond_prob": 0.1}, DATA),
    "other bounds": ({}, {"bounds": {"theta": (-9.0, None)}}, DATA),
}


@pytest.mark.parametrize("sentence", CHANGES)
def test_the_checkpoint_of_another_fit_is_refused(sentence, tmp_path):
    options, hyperparameters, data = CHANGES[sentence]
    approximator().fit(DATA, checkpoint=tmp_path / "a", **{**OPTIONS, "epochs": 2})
    with pytest.raises(ConfigError, match=sentence):
        approximator(**hyperparameters).fit(data, checkpoint=tmp_path / "a", **{**OPTIONS, "epochs": 2, **options})


def test_files_that_cannot_be_checkpoints(tmp_path):
    (tmp_path / "text").write_text("hello")
    approximator().fit(DATA, **{**OPTIONS, "epochs": 1}, checkpoint=tmp_path / "a")
    for path, sentence in (
        (tmp_path / "text", "no checkpoint"),
        (tmp_path, "cannot be a file"),
        (tmp_path / "none" / "a", "folder that exists"),
        (3, "takes a path"),
    ):
        with pytest.raises(ArtifactError, match=sentence):
            approximator().fit(DATA, checkpoint=path, **OPTIONS)


def test_streams_have_no_place_to_go_on_from(tmp_path):
    with pytest.raises(ConfigError, match="can read again"):
        approximator().fit([DATA], checkpoint=tmp_path / "a", epochs=2, batch_size=64, progress=False)
