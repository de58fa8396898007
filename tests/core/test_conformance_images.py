"""The checks of image subnets pass what conforms and catch each way to be wrong."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from torch import nn

from sbicore.config import SubnetConfig, frozen
from sbicore.errors import ConformanceError
from sbicore.testing import TinySubnet, check_component


@frozen(kw_only=True)
class Pixelwise(TinySubnet):
    """The tiny subnet for images: each pixel on its own."""

    layout: ClassVar[str] = "image"
    spatial_axes: ClassVar[tuple[int, ...]] = (1, 2)


class Field(nn.Module):
    """A field subnet that takes vectors; broken ones differ in one thing."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features, self.axes = shapes.output or 4, len(shapes.target)
        self.vector = shapes.conditions is not None and len(shapes.conditions) == 1
        self.x, self.t = nn.Linear(shapes.target[-1], 4), nn.Linear(1, 4)
        self.c = nn.Linear(shapes.conditions[-1], 4) if shapes.conditions else None
        self.out = nn.Linear(4, self.out_features)

    def pixels(self, value):
        return value.reshape(*value.shape[:-1], *[1] * (self.axes - 1), value.shape[-1])

    def told(self, conditions):
        return self.pixels(self.c(conditions)) if self.vector else self.c(conditions)

    def forward(self, x, t, conditions=None):
        h = self.x(x) + self.pixels(self.t(t.unsqueeze(-1)))
        return self.out((h if self.c is None else h + self.told(conditions)).tanh())


@frozen(kw_only=True)
class Sound(SubnetConfig):
    """A subnet."""

    name: ClassVar[str] = "sound"
    uses_time: ClassVar[str] = "required"
    layout: ClassVar[str] = "image"
    spatial_axes: ClassVar[tuple[int, ...]] = (1, 2, 3)
    takes_vectors: ClassVar[bool] = True
    references: ClassVar[tuple] = TinySubnet.references
    module: ClassVar[type[nn.Module]] = Field

    def build(self, shapes):
        return self.module(shapes)


class EvenSidesOnly(Field):
    def forward(self, x, t, conditions=None):
        out = super().forward(x, t, conditions)
        return out[..., : x.shape[-2] // 2 * 2, :] if x.shape[-2] > 5 else out


class DeafToVectors(Field):
    def told(self, conditions):
        return 0 * super().told(conditions) if self.vector else super().told(conditions)


class Squares(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.square()

    @staticmethod
    def backward(ctx, gradient):
        return 2 * ctx.saved_tensors[0] * gradient


class BackwardOnly(Field):
    def forward(self, x, t, conditions=None):
        return Squares.apply(super().forward(x, t, conditions))


class WrongForward(Field):
    def forward(self, x, t, conditions=None):
        dual = torch.autograd.forward_ad.unpack_dual(x).tangent is not None
        return super().forward(x, t, conditions) * (1 + dual)


def config_of(**facts):
    return frozen(kw_only=True)(type("Toy", (Sound,), {"__doc__": "A subnet.", **facts}))()


@pytest.mark.parametrize("config", [Pixelwise(), Sound()], ids=["tiny", "vectors"])
def test_sound_ones_pass(config):
    found = {result.check for result in check_component(config).results if result.status == "passed"}
    assert {"check_image_facts", "check_sizes", "check_forward_mode"} <= found
    assert ("check_vectors" in found) == config.takes_vectors


@pytest.mark.parametrize(
    ("config", "check", "says"),
    [
        (config_of(spatial_axes=(4,)), "check_image_facts", r"spatial_axes is \(4,\)"),
        (config_of(takes_vectors="yes"), "check_image_facts", "takes_vectors is 'yes'"),
        (config_of(module=EvenSidesOnly), "check_sizes", r"expected shape \(2, 3, 7, 4\), got \(2, 3, 6, 4\)"),
        (config_of(module=DeafToVectors), "check_vectors", "conditions have no effect"),
        (config_of(module=BackwardOnly, compiles=False), "check_forward_mode", "jvp"),
        (config_of(module=WrongForward, compiles=False), "check_forward_mode", "they differ by"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("check") else "",
)
def test_broken_ones_are_caught(config, check, says):
    with pytest.raises(ConformanceError, match=says) as caught:
        check_component(config)
    assert check in [result.check for result in caught.value.report.failures]
