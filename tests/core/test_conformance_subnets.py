"""The checks of subnets pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import re
from typing import ClassVar

import pytest
import torch
from torch import nn

from sbicore.config import SubnetConfig, frozen
from sbicore.testing import TinySubnet, check_component

WIDTH = 8


class Layers(nn.Module):
    """A subnet that conforms; broken ones differ in one thing."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or WIDTH
        self.x = nn.Linear(shapes.target[-1], WIDTH)
        self.t = nn.Linear(1, WIDTH)
        self.c = nn.Linear(shapes.conditions[-1], WIDTH) if shapes.conditions else None
        self.out = nn.Linear(WIDTH, self.out_features)

    def forward(self, x, t, conditions=None):
        h = self.x(x) + self.t(t.unsqueeze(-1))
        return self.out((h if self.c is None else h + self.c(conditions)).tanh())


class Pixels(Layers):
    """The same for images, where t has no axes for the pixels."""

    def forward(self, x, t, conditions=None):
        return super().forward(x, t[..., None, None], conditions)


@frozen(kw_only=True)
class Sound(SubnetConfig):
    """A subnet."""

    name: ClassVar[str] = "sound"
    uses_time: ClassVar[str] = "required"
    module: ClassVar[type[nn.Module]] = Layers

    def build(self, shapes):
        return self.module(shapes)


def config_of(module, **facts):
    return frozen(kw_only=True)(type("Toy", (Sound,), {"module": module, "__doc__": "A subnet.", **facts}))()


def changed(change):
    """A subnet whose output goes through `change(module, output, x, t)`."""

    def forward(self, x, t, conditions=None):
        return change(self, Layers.forward(self, x, t, conditions), x, t)

    return config_of(type("Mutant", (Layers,), {"forward": forward}))


class OneAxis(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, t, conditions).flatten(0, -2)


class IgnoresOutput(Layers):
    def __init__(self, shapes):
        super().__init__(shapes)
        self.out_features, self.out = WIDTH, nn.Linear(WIDTH, WIDTH)


class IgnoresTime(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, 0 * t, conditions)


class IgnoresConditions(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, t, None if conditions is None else 0 * conditions)


class IgnoresTargets(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(0 * x, t, conditions)


class DeadParameter(Layers):
    def __init__(self, shapes):
        super().__init__(shapes)
        self.idle = nn.Parameter(torch.ones(3))


class Frozen(Layers):
    def __init__(self, shapes):
        super().__init__(shapes)
        self.requires_grad_(False)


class Detached(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x.detach(), t, conditions)


class Float32(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, t, conditions) + torch.ones(WIDTH, dtype=torch.float64)


class WideTime(Layers):
    """Works only where every row has a time of its own."""

    def forward(self, x, t, conditions=None):
        return super().forward(x, t.expand(x.shape[:-1]) * torch.arange(t.numel()).reshape(t.shape).add(1), conditions)


class Unsaved(Layers):
    """Random frequencies that are neither parameters nor buffers."""

    def __init__(self, shapes):
        super().__init__(shapes)
        self.frequencies = torch.randn(self.out_features)

    def forward(self, x, t, conditions=None):
        return super().forward(x, t, conditions) + self.frequencies.to(x)


class NotPersistent(Unsaved):
    def __init__(self, shapes):
        super().__init__(shapes)
        frequencies = self.__dict__.pop("frequencies")
        self.register_buffer("frequencies", frequencies, persistent=False)


class Extra(Layers):
    def get_extra_state(self):
        return {"notes": 1}

    def set_extra_state(self, state):
        pass


class Shares(Layers):
    """A copy keeps the parameters of its original."""

    def __deepcopy__(self, memo):
        twin = type(self).__new__(type(self))
        twin.__dict__ = {**self.__dict__}
        return twin


class Forgets(Layers):
    def __deepcopy__(self, memo):
        twin = type(self)(type("Shapes", (), {"output": 8, "target": (3,), "conditions": None}))
        return twin.eval()


class Noisy(Layers):
    """Dropout that evaluation mode does not switch off."""

    def forward(self, x, t, conditions=None):
        return super().forward(nn.functional.dropout(x, 0.5), t, conditions)


class StaysTraining(Layers):
    def train(self, mode=True):
        return super().train(True)


class Normalised(Layers):
    """Statistics of the batch, in evaluation too."""

    def forward(self, x, t, conditions=None):
        return super().forward(x - x.flatten(0, -2).mean(0) if x.ndim > 1 else x, t, conditions)


class Branches(Layers):
    def forward(self, x, t, conditions=None):
        if x.device.type != "meta" and float(x.detach().sum()) > 1e6:
            return super().forward(-x, t, conditions)
        return super().forward(x, t, conditions)


def on_the_cpu(self, out, x, t):
    return out + torch.ones(out.shape, dtype=out.dtype)


def looks(self, out, x, t):
    return out * 1.0 if t.max().item() < 2 else out


BROKEN = {
    "unknown use of time": (config_of(Layers, uses_time="maybe"), "check_facts", "uses_time is 'maybe'"),
    "unknown layout": (config_of(Layers, layout="graph"), "check_facts", "layout is 'graph'"),
    "wrong shape": (
        changed(lambda self, out, x, t: out[..., :-1]),
        "check_shape",
        r"expected shape \(8,\), got \(7,\)",
    ),
    "one leading axis": (config_of(OneAxis), "check_shape", r"IndexError|expected shape"),
    "output ignored": (config_of(IgnoresOutput), "check_shape", "out_features is 8"),
    "not finite": (changed(lambda self, out, x, t: out / 0), "check_shape", "not finite for leading axes"),
    "raises": (changed(lambda self, out, x, t: out @ out.new_zeros(3)), "check_shape", "RuntimeError: .*size"),
    "input changed": (changed(lambda self, out, x, t: out + x.mul_(2.0).sum()), "check_inputs_kept", ": x changed"),
    "float32 alone": (changed(lambda self, out, x, t: out.float()), "check_dtype", "float64 gives torch.float32"),
    "constant in float64": (config_of(Float32), "check_dtype", "torch.float32 gives torch.float64"),
    "tensor made on the cpu": (changed(on_the_cpu), "check_device", "on the device meta: "),
    "values on the cpu": (
        changed(lambda self, out, x, t: torch.zeros(out.shape)),
        "check_device",
        "inputs on meta give cpu",
    ),
    "looks at values": (changed(looks), "check_device", "on the device meta: .*item"),
    "dead parameter": (config_of(DeadParameter), "check_gradients", "none reaches idle"),
    "nothing to learn": (config_of(Frozen), "check_gradients", "there are no parameters"),
    "no gradient to the input": (config_of(Detached), "check_gradients", "none reaches x"),
    "x ignored": (config_of(IgnoresTargets), "check_inputs", "x has no effect"),
    "time ignored": (config_of(IgnoresTime), "check_inputs", "t has no effect"),
    "conditions ignored": (config_of(IgnoresConditions), "check_inputs", "conditions has no effect"),
    "rows mixed": (config_of(Normalised), "check_rows", "a row alone gives other numbers"),
    "one time for each row": (config_of(WideTime), "check_shared", "they differ"),
    "not a buffer": (config_of(Unsaved), "check_state", "the loaded module gives other numbers"),
    "buffer not saved": (config_of(NotPersistent), "check_state", "the loaded module gives other numbers"),
    "state that is no tensor": (config_of(Extra), "check_state", "not tensors, and so not saved: _extra_state"),
    "copy of other numbers": (config_of(Forgets), "check_copy", "the copy gives other numbers"),
    "copy that shares": (config_of(Shares), "check_copy", "the copy shares parameters"),
    "noise in evaluation": (config_of(Noisy), "check_modes", "a second call gives other numbers"),
    "another shape in training": (
        changed(lambda self, out, x, t: out[..., :1] if self.training else out),
        "check_modes",
        "training mode changes the shape",
    ),
    "no repr": (config_of(type("Mute", (Layers,), {"__repr__": lambda self: ""})), "check_modes", "repr is empty"),
    "never evaluates": (config_of(StaysTraining), "check_modes", "a part stays in training mode"),
    "other numbers when compiled": (
        changed(lambda self, out, x, t: out + 1 if torch.compiler.is_compiling() else out),
        "check_compile",
        "the captured module gives other numbers",
    ),
    "not compilable": (config_of(Branches), "check_compile", "Shapes.*: (Unsupported|UserError|.*branching)"),
}


@pytest.mark.parametrize(
    "config",
    [config_of(Layers), config_of(Pixels, layout="image"), config_of(Branches, compiles=False), TinySubnet(width=3)],
    ids=["vector", "image", "not compiled", "tiny"],
)
def test_sound_ones_pass(config):
    check_component(config)


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_a_class_that_does_not_compile_is_not_asked():
    names = [result.check for result in check_component(config_of(Branches, compiles=False)).results]
    assert "check_rows" in names and "check_compile" not in names
