"""When `compile="auto"` compiles: by what it saves in the steps that remain, and what it costs."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from sbicore_flow_matching import FlowMatching
from sbicore_mlp import TimeMLP

import sbicore
from sbicore.backbone import Backbone
from sbicore.config import frozen
from sbicore.shapes import Shapes
from sbicore.testing import TinySubnet
from sbicore.training import compilation
from sbicore.training.compilation import Compilation


class Clock:
    """A clock that an eager or compiled step moves by its duration."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


@pytest.fixture
def run(monkeypatch):
    def steps(total, *, eager, compiled, warmup, known=None):
        clock, remembered = Clock(), []
        monkeypatch.setattr(compilation, "time", clock)
        monkeypatch.setattr(compilation, "_recall", lambda key: known)
        monkeypatch.setattr(compilation, "_remember", lambda key, facts: remembered.append(facts))
        monkeypatch.setattr(Compilation, "_compile", lambda self: setattr(self, "active", True))
        module = Backbone(TimeMLP(widths=(8,)), Shapes(target=(2,), time=True))
        chooser = Compilation(module, "auto", total, torch.device("cpu"), 32)
        pending = warmup
        for step in range(1, total + 1):
            clock.now += compiled + pending if chooser.active else eager
            pending = pending if not chooser.active else 0.0
            chooser.after_step(step)
        return clock.now, chooser.active, remembered

    return steps


def test_a_fit_of_two_minutes_is_never_five_percent_slower(run):
    for compiled in (0.003, 0.005, 0.02):
        for known in (None, {"eager": 0.005, "compiled": compiled, "warmup": 25.0}):
            seconds, _, _ = run(24_000, eager=0.005, compiled=compiled, warmup=25.0, known=known)
            assert seconds <= 1.05 * 120


def test_a_long_fit_compiles_and_remembers_what_it_saw(run):
    seconds, active, remembered = run(200_000, eager=0.005, compiled=0.003, warmup=25.0)
    assert active
    assert seconds < 0.7 * 1000
    assert remembered[0] == pytest.approx({"eager": 0.005, "compiled": 0.003, "warmup": 25.0}, rel=1e-6)


def test_a_compiled_step_that_is_slower_is_given_up(run):
    _, active, _ = run(200_000, eager=0.005, compiled=0.006, warmup=25.0)
    assert not active


def test_what_declares_that_it_does_not_compile_is_left_eager(linear_data, monkeypatch):
    asked = []

    def never_pays(self, step):
        asked.append(self.mode)

    @frozen(kw_only=True)
    class Plain(TinySubnet):
        """A subnet that cannot be captured."""

        compiles: ClassVar[bool] = False

    monkeypatch.setattr(Compilation, "after_step", never_pays)
    for subnet, mode in ((TinySubnet(), "auto"), (Plain(), "never")):
        asked.clear()
        network = FlowMatching(subnet=subnet)
        assert compilation.compiles(network) == (mode == "auto")
        model = sbicore.build(network, inference_variables=["theta"], inference_conditions=["x"])
        model.fit(linear_data, epochs=1, progress=False)
        assert set(asked) == {mode}


def test_conditions_by_name_reach_a_compiled_backbone(linear_data, monkeypatch):
    calls = []

    def compiled(call):
        return lambda *arguments, **keywords: (calls.append(keywords), call(*arguments, **keywords))[1]

    monkeypatch.setattr(torch, "compile", compiled)
    model = sbicore.RatioApproximator(
        subnet_kwargs={"widths": [8]}, inference_variables=["theta"], inference_conditions=["x"]
    )
    assert model.fit(linear_data, epochs=1, compile=True, progress=False, seed=1).compiled
    assert calls and all("conditions" in keywords for keywords in calls)
