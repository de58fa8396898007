"""How ensembles learn: one pass as one after another, shares of the rows, records, members that fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import DataWarning, NotBuiltError, TrainingError, TrainingWarning
from sbicore.training import shared_rows, stacked, together

QUIET = {"progress": False}


@pytest.fixture(scope="module")
def data(linear_data):
    return {name: value[:400] for name, value in linear_data.items()}


def build(network="coupling_flow", **arguments):
    return sbicore.build(
        network,
        ensemble=3,
        subnet_kwargs={"widths": [16]},
        inference_variables=["theta"],
        inference_conditions=["x"],
        **arguments,
    )


def fit(model, data, **options):
    return model.fit(data, **{"epochs": 2, "batch_size": 32, "seed": 1, **QUIET, **options})


@pytest.mark.parametrize(
    ("network", "more"),
    [
        ("flow_matching", {"drop_cond_prob": 0.1}),
        ("coupling_flow", {"depth": 2, "transform": "spline"}),
        ("diffusion_model", {}),
        ("consistency_model", {}),
        ("stable_consistency_model", {}),
        ("point_network", {}),
    ],
)
def test_one_pass_is_the_same_as_one_after_another(network, more, data):
    models = [build(network, **more) for _ in range(2)]
    for model, vectorize in zip(models, (False, None), strict=True):
        with pytest.MonkeyPatch.context() as patch:
            passes = []
            inner = stacked.Stacked.backward
            patch.setattr(stacked.Stacked, "backward", lambda *a, p=passes, f=inner: (p.append(1), f(*a))[1])
            fit(model, data, vectorize=vectorize)
        assert bool(passes) == (vectorize is None), network
    records = [model.history.members for model in models]
    for name, record in records[0].items():
        assert records[1][name].loss == pytest.approx(record.loss, rel=1e-3)
        assert records[1][name].val_loss == pytest.approx(record.val_loss, rel=1e-3)
    for one, other in zip(models[0].parameters(), models[1].parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)
    for one, other in zip(models[0].buffers(), models[1].buffers(), strict=True):
        torch.testing.assert_close(one, other)


def test_networks_that_cannot_run_in_one_pass_run_one_after_another(data, monkeypatch):
    def refuse(*_):
        raise AssertionError("ran in one pass")

    model = build("flow_matching", use_optimal_transport=True)
    with monkeypatch.context() as patch:
        patch.setattr(together, "Stacked", refuse)
        fit(model, data)
        monkeypatch.setattr(stacked, "SMALL", 100)
        fit(build("flow_matching"), data)
    assert model.history.steps == 3 * 2 * 11


def test_one_pass_is_refused_where_the_numbers_differ():
    class Task:
        """What lies outside of weights and buffers is lost in one pass."""

        def __init__(self, scale):
            self.module, self.scale = torch.nn.Linear(2, 1), scale

        def loss(self, batch, generator):
            return self.scale * self.module(batch["x"]).squeeze(-1)

    batches = [{"x": torch.ones(4, 2)}, {"x": torch.ones(4, 2)}]
    assert stacked.runs_stacked([Task(1.0), Task(1.0)], batches, 1)
    assert not stacked.runs_stacked([Task(1.0), Task(2.0)], batches, 1)


@pytest.mark.parametrize(
    ("count", "members", "reuse", "length"), [(12, 3, 1.0, 12), (12, 3, 0.0, 4), (13, 3, 0.0, 4), (12, 3, 0.5, 6)]
)
def test_shares_of_the_rows(count, members, reuse, length):
    parts = [set(part.tolist()) for part in shared_rows.windows(count, members, reuse)]
    assert {len(part) for part in parts} == {length}
    common = [len(one & other) for i, one in enumerate(parts) for other in parts[:i]]
    assert common == [0] * 3 if reuse == 0 else all(common)
    assert len(set.union(*parts)) == (count if reuse else members * length)


def test_members_learn_from_rows_of_their_own():
    rows = {"x": torch.arange(60)}
    source = shared_rows.MemorySource(rows, None, 5, device=torch.device("cpu"), seed=1)
    for reuse, distinct in ((0.0, 20), (1.0, 60), (0.5, 30)):
        mine = shared_rows.OwnOrders(source, 3, reuse, 5, seed=1)
        batches = list(mine.together())
        assert mine.steps_per_epoch == len(batches) == distinct // 5
        seen = [torch.cat([step[k]["x"] for step in batches]).tolist() for k in range(3)]
        assert all(len(set(one)) == distinct for one in seen)
        assert seen[0] != seen[1]
        if reuse == 0.0:
            assert len(set(seen[0]) | set(seen[1]) | set(seen[2])) == 60


def test_fresh_rows_are_simulated_once_for_all_members():
    class Simulator:
        rows = 0

        def sample(self, n, seed=None):
            Simulator.rows += n
            theta = np.random.default_rng(seed).normal(size=(n, 2))
            return {"theta": theta, "x": theta + 1}

    fit(build(), Simulator(), num_batches_per_epoch=4, data_reuse=0.0)
    assert Simulator.rows == 2 * (2 * 4 * 32 * 3)
    Simulator.rows = 0
    fit(build(), Simulator(), num_batches_per_epoch=4)
    assert Simulator.rows == 512 + 2 * 4 * 32


def test_streamed_batches_and_rows_with_weights(data):
    batches = [{name: value[k : k + 100] for name, value in data.items()} for k in range(0, 400, 100)]
    assert fit(build(), batches, data_reuse=0.5).members["2"].steps == 2 * (400 // 64)
    fit(build(), data | {"sample_weight": np.ones(400)})


def test_the_history_tells_of_all_members(data):
    model = build()
    history = fit(model, data, patience=50)
    assert list(history.members) == ["0", "1", "2"]
    assert history.steps == sum(record.steps for record in history.members.values()) == 3 * 2 * 11
    mean = np.mean([record.loss for record in history.members.values()], axis=0)
    np.testing.assert_allclose(history.loss, mean)
    assert history.stopped == "completed"
    fit(model, data)
    assert len(history.loss) == 4


def test_each_member_has_its_own_patience(data):
    history = fit(build(), data, epochs=60, learning_rate=0.05, patience=2)
    epochs = {len(record.loss) for record in history.members.values()}
    assert history.stopped == "patience"
    assert len(history.loss) == max(epochs)
    assert len(epochs) > 1


def spoil(number):
    """A callback that makes one member's weights infinite before the first step."""

    def callback(approximator, event):
        if event.kind == "started":
            for name in number:
                with torch.no_grad():
                    for parameter in approximator.members[name].parameters():
                        parameter.fill_(torch.nan)

    return callback


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_member_that_fails_is_named_and_left_out(data, vectorize):
    model = build()
    with pytest.warns(TrainingWarning, match="member '1' failed and is left out, 2 remain: None of 11 training steps"):
        fit(model, data, callbacks=[spoil(["1"])], vectorize=vectorize)
    assert list(model.members) == ["0", "2"]
    assert list(model.history.members) == ["0", "1", "2"]
    with pytest.warns(DataWarning, match="far outside the training data"):
        draws = model.sample({"x": [50.0, 50.0]}, 10, seed=1, **QUIET)
    assert np.isfinite(draws["theta"]).all()


def test_where_all_members_fail_nothing_is_trained(data):
    model = build()
    with pytest.raises(TrainingError, match="All of 3 members failed. Member '0': None of 11"):
        fit(model, data, callbacks=[spoil(["0", "1", "2"])])
    with pytest.raises(NotBuiltError):
        model.sample({"x": [50.0, 50.0]}, 3)
    fit(model, data)
    assert model.is_trained


def test_a_later_fit_that_fails_keeps_what_was_learnt(data):
    model = build()
    fit(model, data)
    with pytest.warns(TrainingWarning, match="member '1' failed and keeps its weights from before"):
        fit(model, data, callbacks=[spoil(["1"])], validation_fraction=0.0)
    assert list(model.members) == ["0", "1", "2"]


def test_an_interruption_says_which_weights_are_kept(data):
    def interrupt(_, event):
        if event.kind == "epoch":
            raise KeyboardInterrupt

    model = build()
    with pytest.warns(TrainingWarning, match="interrupted after 1 epochs; the best weights so far are kept"):
        fit(model, data, callbacks=[interrupt])
    for member in model.by_name.values():
        member.network.comparable_losses = False
    with pytest.warns(TrainingWarning, match="the averaged weights of that moment are kept"):
        fit(model, data, callbacks=[interrupt])
