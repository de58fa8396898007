"""Whether an inference network works on every subnet of its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from .. import _index
from .._modules import wrap
from ..config import frozen
from ..errors import ConfigError, DataError, PluginError
from ..randomness import generator_for
from ..registry import resolve
from ..shapes import Shapes
from ._check import only, require
from ._network_cases import NetworkCase, has_subnet, on_subnet
from .toys import TinySubnet

__all__ = ["CHECKS"]

SHAPES = {
    "vector": (Shapes(target=(2,)), Shapes(target=(2,), conditions=(4,)), Shapes(target=(1,), conditions=(4,))),
    "image": (Shapes(target=(8, 8, 3)), Shapes(target=(8, 8, 3), conditions=(8, 8, 2))),
}


@frozen(kw_only=True)
class Particular(TinySubnet):
    """A tiny subnet that looks whether it is given a time as it asks for."""

    def build(self, shapes: Shapes) -> Any:
        """The module."""
        wanted = {"required": True, "no": False}.get(self.uses_time, shapes.time)
        require(shapes.time == wanted, f"a subnet with uses_time={self.uses_time!r} is built with time={shapes.time}")
        return super().build(shapes)


@frozen(kw_only=True)
class Timed(Particular):
    """One that requires a time."""

    uses_time: ClassVar[str] = "required"


@frozen(kw_only=True)
class Timeless(Particular):
    """One that takes no time."""

    uses_time: ClassVar[str] = "no"


@frozen(kw_only=True)
class Pixels(Particular):
    """One for images, a pixel at a time."""

    layout: ClassVar[str] = "image"


class Ordinary(nn.Module):
    """A module that knows nothing of sbicore."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(1, 8)

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """Features of the sum of all inputs."""
        total = x.sum(-1, keepdim=True)
        for part in (None if t is None else t.unsqueeze(-1), conditions):
            total = total if part is None else total + part.sum(-1, keepdim=True)
        return self.layer(total).tanh()


@only(has_subnet)
def check_subnet_time(config: Any) -> None:
    """Of subnets that require a time and those that take none, one sort works; the other is refused: use `Backbone`."""
    for shapes in _shapes(config, "vector"):
        _require_works(config, Particular(), shapes, "a subnet with uses_time='optional'")
        taken = [_works(config, subnet, shapes) for subnet in (Timed(), Timeless())]
        require(any(taken), f"{shapes}: subnets with uses_time='required' are refused, and those with 'no' too")


@only(has_subnet)
def check_subnet_modules(config: Any) -> None:
    """Any `nn.Module` may be the subnet, as it is or in `sbicore.wrap`."""
    with torch.random.fork_rng(devices=[]):
        for shapes in _shapes(config, "vector"):
            _require_works(config, Ordinary(), shapes, "an nn.Module")
            _require_works(config, wrap(Ordinary(), "x"), shapes, "sbicore.wrap(module, 'x')")


@only(has_subnet)
def check_subnets(config: Any) -> None:
    """Every installed subnet of a layout and a time that it can use works."""
    for layout, probes in {"vector": (Timed(), Timeless()), "image": (Pixels(),)}.items():
        for shapes in _shapes(config, layout):
            usable = {probe.uses_time for probe in probes if _can(config, probe, shapes)}
            for name, subnet in _installed():
                fits = subnet.layout == layout and (subnet.uses_time == "optional" or subnet.uses_time in usable)
                if usable and fits:
                    _require_works(config, subnet, shapes, name)


def _shapes(config: Any, layout: str) -> Iterator[Shapes]:
    """Shapes of this layout; without conditions where the network takes that."""
    for shapes in SHAPES[layout]:
        if shapes.conditions is not None or _can(config, TinySubnet(), SHAPES["vector"][0]):
            yield shapes


def _installed() -> Iterator[tuple[str, Any]]:
    """Installed subnets that resolve, each with its first example."""
    for entry in _index.entries("subnet"):
        try:
            yield entry.qualified, resolve(entry.qualified, kind="subnet").examples()[0]
        except (PluginError, IndexError):
            continue


def _works(config: Any, subnet: Any, shapes: Shapes) -> bool:
    """Whether the subnet is taken, and not refused; then loss and draws must have their shapes."""
    try:
        network = NetworkCase(on_subnet(config, subnet), shapes).make()
    except (ConfigError, DataError):
        return False
    case = NetworkCase(config, shapes)
    loss = network.loss(*case.pairs(4), generator=generator_for(1))
    require(loss.shape == (4,) and loss.isfinite().all(), f"the loss is {loss}")
    if "sample" in config.capabilities:
        require(case.draw(network, count=2).isfinite().all(), "draws are not finite")
    return True


def _can(config: Any, subnet: Any, shapes: Shapes) -> bool:
    try:
        return _works(config, subnet, shapes)
    except Exception:
        return False


def _require_works(config: Any, subnet: Any, shapes: Shapes, name: str) -> None:
    try:
        require(_works(config, subnet, shapes), "it is refused")
    except Exception as error:
        raise AssertionError(f"{name}, {shapes}: {str(error) or type(error).__name__}") from error


CHECKS = (check_subnet_time, check_subnet_modules, check_subnets)
