"""Training on a store: the same as in memory, in the memory that was given."""

from __future__ import annotations

import os
import time

import numpy as np
import pytest
import torch

import sbicore
from sbicore.approximators._standardizer import Moments
from sbicore.errors import ConfigError, DataError, DataWarning
from sbicore.training.pieces import PieceSource

ROLES = {"inference_variables": ["theta"], "inference_conditions": ["x"]}


def linear(count=3_000, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(count, 2)) * [1.0, 3.0] + [0.0, 5.0]
    return {"theta": theta, "x": theta + 0.5 * rng.normal(size=(count, 2))}


def stored(path, data, part_rows=200):
    return sbicore.write_store(path, data, part_rows=part_rows, progress=False)


def fit(data, **options):
    workflow = sbicore.BasicWorkflow(subnet_kwargs={"widths": [16]}, **ROLES)
    settings = {"epochs": 2, "batch_size": 64, "seed": 1, "progress": False, "compile": False, **options}
    (workflow.fit_disk if isinstance(data, os.PathLike) else workflow.fit_offline)(data, **settings)
    return workflow.approximator


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


def test_a_fit_does_not_depend_on_the_thread(tmp_path):
    stored(tmp_path / "s", linear())
    with_thread, without = (fit(tmp_path / "s", background=background) for background in (True, False))
    assert torch.equal(weights(with_thread), weights(without))
    assert with_thread.history.steps == 2 * (2_700 // 64)


def test_moments_and_validation_are_those_of_memory(tmp_path):
    data = linear()
    stored(tmp_path / "s", data)
    disk = fit(tmp_path / "s", validation_data=linear(300, 5))
    memory = fit(data, validation_data=linear(300, 5))
    for role in disk.standardizers:
        torch.testing.assert_close(disk.standardizer(role).std, memory.standardizer(role).std)
        torch.testing.assert_close(disk.standardizer(role).mean, memory.standardizer(role).mean)
    assert disk.history.val_loss == pytest.approx(memory.history.val_loss, rel=0.1)


def test_a_store_that_is_sorted_is_shuffled(tmp_path):
    order = np.argsort(linear()["theta"][:, 0])
    stored(tmp_path / "s", {name: value[order] for name, value in linear().items()}, part_rows=20)
    disk, memory = fit(tmp_path / "s", epochs=20, memory_mb=1), fit(linear(), epochs=20)
    assert disk.history.val_loss[-1] == pytest.approx(memory.history.val_loss[-1], abs=0.05)


def pieces(sizes, **options):
    starts = np.cumsum([0, *sizes])

    def read(index):
        return {"inference_variables": torch.arange(starts[index], starts[index + 1]).unsqueeze(1).float()}

    settings = {"batch_size": 10, "group_rows": 60, "identity": "", "seed": 3, "background": False}
    return PieceSource(read, sizes, None, device=torch.device("cpu"), **{**settings, **options})


@pytest.mark.parametrize("sizes", [[20] * 20, [1] * 95, [7, 0, 31, 59, 3], [4]])
@pytest.mark.parametrize("background", [False, True])
def test_every_row_once_an_epoch_in_a_new_order(sizes, background):
    source = pieces(sizes, background=background)
    epochs = [[batch["inference_variables"][:, 0].tolist() for batch in source.epoch()] for _ in range(2)]
    for batches in epochs:
        assert len(batches) == source.steps_per_epoch == sum(sizes) // source.batch_size
        assert {len(batch) for batch in batches} == {source.batch_size}
        seen = [row for batch in batches for row in batch]
        assert len(set(seen)) == len(seen) == source.steps_per_epoch * source.batch_size
    assert epochs[0] != epochs[1]
    again = pieces(sizes, background=background)
    assert [batch["inference_variables"][:, 0].tolist() for batch in again.epoch()] == epochs[0]


def test_rows_in_use_stay_while_the_next_are_read():
    sizes = [7, 31, 25, 59, 43]
    epochs = []
    for background in (False, True):
        batches = []
        for batch in pieces(sizes, background=background).epoch():
            time.sleep(0.02 * background)
            batches.append(batch["inference_variables"][:, 0].tolist())
        epochs.append(batches)
    assert epochs[0] == epochs[1]


def test_neighbours_in_the_store_are_none_in_training():
    batches = [batch["inference_variables"][:, 0] for batch in pieces([20] * 100, group_rows=400).epoch()]
    spread = torch.stack([batch.std() for batch in batches]).mean()
    assert spread > 0.9 * 2_000 / 12**0.5  # that of rows drawn from the whole store; rows of a single piece have 6


def test_a_checkpoint_goes_on(tmp_path):
    stored(tmp_path / "s", linear())
    whole = fit(tmp_path / "s", epochs=3)

    def stop(model, event):
        event.stop_requested = event.epoch == 1

    options = {"epochs": 3, "checkpoint": tmp_path / "fit.ckpt"}
    fit(tmp_path / "s", callbacks=[stop], **options)
    assert torch.equal(weights(fit(tmp_path / "s", **options)), weights(whole))
    stored(tmp_path / "t", linear(seed=1))
    with pytest.raises(ConfigError, match="other data"):
        fit(tmp_path / "t", **options)


def test_invalid_rows_are_dropped_and_counted_once(tmp_path):
    data = linear()
    data["x"][5:2_000:100] = np.nan
    stored(tmp_path / "s", data)
    with pytest.warns(DataWarning, match=r"data: 20 of 3000 rows dropped .*\(x: 20\)") as caught:
        model = fit(tmp_path / "s", epochs=3)
    assert len(caught) == 1
    assert model.history.steps == 3 * ((2_980 - 298) // 64)


def test_weights_of_rows_count(tmp_path):
    data = linear()
    data["sample_weight"] = np.where(data["theta"][:, 0] > 0, 1e6, 0.0)
    stored(tmp_path / "s", data)
    stored(tmp_path / "half", {name: value[data["theta"][:, 0] > 0] for name, value in linear().items()})
    found = fit(tmp_path / "s", epochs=10).sample({"x": [0.0, 5.0]}, 500, seed=1, progress=False)["theta"][0, :, 0]
    assert found.mean() > 0.1


def test_a_change_during_training_ends_it(tmp_path):
    stored(tmp_path / "s", linear())

    def change(model, event):
        if event.kind == "epoch":
            os.utime(tmp_path / "s" / "000003.npz", ns=(1, 1))

    with pytest.raises(DataError, match=r"000003\.npz was changed or removed while it is read"):
        fit(tmp_path / "s", epochs=5, callbacks=[change])


def test_pieces_that_do_not_fit_into_the_memory_are_named(tmp_path):
    stored(tmp_path / "s", {**linear(), "big": np.zeros((3_000, 100))}, part_rows=3_000)
    with pytest.raises(ConfigError, match=r"memory_mb has room for 420 rows at a time; .*s is read by 1260, .* 64\n"):
        fit(tmp_path / "s", memory_mb=1)
    with pytest.raises(ConfigError, match="Give memory_mb=4 or more"):
        fit(tmp_path / "s", memory_mb=3)
    fit(tmp_path / "s", memory_mb=4)


def test_missing_variables_are_named(tmp_path):
    stored(tmp_path / "s", {"theta": linear()["theta"]})
    with pytest.raises(DataError, match="'x', which is not in the data"):
        fit(tmp_path / "s")


def test_moments_of_parts_are_those_of_all():
    generator = torch.Generator().manual_seed(0)
    x = 1e3 + torch.randn(1_000, 5, 3, generator=generator, dtype=torch.float64)
    mask = torch.rand(1_000, 5, generator=generator) > 0.4
    for chosen in (None, mask):
        parts = Moments()
        for part in torch.arange(1_000).split(130):
            parts.add(x[part], None if chosen is None else chosen[part])
        values = x.reshape(-1, 3) if chosen is None else x[chosen]
        torch.testing.assert_close(parts.mean, values.mean(0), rtol=1e-12, atol=0)
        torch.testing.assert_close(parts.std, values.std(0, correction=0), rtol=1e-9, atol=0)
