"""Rows made in a thread: the same numbers, errors and interruptions, and no thread that stays."""

from __future__ import annotations

import random
import sys
import threading
import time
import traceback

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import SimulatorError, TrainingWarning
from sbicore.training.background import Beside, in_background


def threads():
    return [thread for thread in threading.enumerate() if thread.name == "sbicore rows"]


@pytest.fixture(autouse=True)
def _no_thread_stays():
    yield
    assert not threads()


def simulator(pause=0.0, names=None):
    """Rows that use every global generator, so that a step that draws from one would meet it."""

    def rows(n, rng):
        time.sleep(pause)
        if names is not None:
            names.append(threading.current_thread().name)
        theta = np.random.normal(size=(n, 2)) + random.random() + float(torch.rand(()))
        return {"theta": theta, "x": theta + 0.5 * rng.normal(size=(n, 2))}

    return sbicore.make_simulator(rows, vectorized=True)


def fit(source, *, dropout=0.0, **options):
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8], "dropout": dropout},
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    settings = {"epochs": 2, "batch_size": 128, "compile": False, "progress": False}
    if hasattr(source, "sample"):
        settings["num_batches_per_epoch"] = 80
    model.fit(source, **{**settings, "seed": 1, **options})
    return model


def weights(model):
    return torch.cat([value.flatten() for value in model.state_dict().values()])


@pytest.mark.parametrize("pause", [0.0, 0.02])
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_weights_are_the_same_with_and_without(dropout, pause):
    names = []
    with_thread = fit(simulator(pause, names), dropout=dropout)
    assert ("sbicore rows" in names) == (dropout == 0.0)  # dropout draws from the generator that simulators seed
    assert torch.equal(weights(with_thread), weights(fit(simulator(), dropout=dropout, background=False)))


def test_batches_of_an_iterable_too():
    data = simulator().sample(1_000, seed=1)
    batches = [{name: value[i : i + 70] for name, value in data.items()} for i in range(0, 1_000, 70)]
    runs = [weights(fit(batches, batch_size=32, epochs=3, background=background)) for background in (True, False)]
    assert torch.equal(*runs)


def test_an_error_of_the_simulator_comes_with_its_traceback():
    calls = []

    def rows(n, rng):
        calls.append(n)
        if len(calls) > 9:
            raise ZeroDivisionError("here")
        theta = rng.normal(size=(n, 1))
        return {"theta": theta, "x": theta}

    with pytest.raises(SimulatorError, match="rows raised ZeroDivisionError in rows") as caught:
        fit(sbicore.make_simulator(rows, vectorized=True))
    assert "in rows\n" in "".join(traceback.format_exception(caught.value))


def test_an_interrupt_ends_training_and_simulation():
    class Slow:
        calls = 0

        def sample(self, n, *, seed=None):
            self.calls += 1
            while self.calls == 4:
                time.sleep(0.01)
            rng = np.random.default_rng(seed)
            theta = rng.normal(size=(n, 1))
            return {"theta": theta, "x": theta}

    slow = Slow()
    with pytest.warns(TrainingWarning, match="interrupted"):
        model = fit(slow, num_batches_per_epoch=400, callbacks=[_interrupt_after(slow)], epochs=3)
    assert slow.calls == 4 and model.history.stopped == "interrupted"


def _interrupt_after(slow):
    def callback(model, event):
        if event.kind == "started":
            loss = model.network.loss

            def interrupted(*args, **options):
                if slow.calls == 4:
                    raise KeyboardInterrupt
                return loss(*args, **options)

            model.network.loss = interrupted

    return callback


def test_at_most_so_many_items_are_made_ahead():
    made = []

    def items():
        for number in range(10):
            made.append(number)
            yield number

    ahead = in_background(items(), depth=2)
    for number in ahead:
        time.sleep(0.02)
        assert len(made) <= number + 3
    assert made == list(range(10))


def test_interpreters_of_the_main_thread_are_left_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "juliacall", object())
    assert not Beside(True, 1).enabled
