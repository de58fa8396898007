"""A subnet with the output head that its inference network owns."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from . import _extensions
from ._messages import listing
from .errors import ConfigError, ShapeError
from .shapes import Shapes

__all__ = ["Backbone", "check_conditions", "compiled_parts"]


def compiled_parts(module: nn.Module) -> list[nn.Module]:
    """The outermost modules inside whose class says `compiled_whole`: each is one piece for `torch.compile`."""
    if getattr(module, "compiled_whole", False):
        return [module]
    return [part for child in module.children() for part in compiled_parts(child)]


class Backbone(nn.Module):
    """`head(subnet(x, t, conditions))` with `shapes.output` features on the last axis.

    Args:
        subnet: config of the subnet.
        shapes: target, conditions, time, and the features that the network needs as `output`.

    Raises:
        ConfigError: the subnet requires a time and the network has none, or the other way
            round; or it is made for targets of another rank.
    """

    compiled_whole = True

    def __init__(self, subnet: Any, shapes: Shapes) -> None:
        super().__init__()
        uses_time, layout = subnet.uses_time, getattr(subnet, "layout", None)
        wanted = {1: "vector", 3: "image"}.get(len(shapes.target))
        if shapes.time and uses_time == "no":
            raise ConfigError(f"{subnet.name!r} takes no time, which this network needs.\n{_suiting(shapes)}")
        if not shapes.time and uses_time == "required":
            raise ConfigError(f"{subnet.name!r} needs a time, which this network has not.\n{_suiting(shapes)}")
        if layout is not None and layout != wanted:
            raise ConfigError(
                f"{subnet.name!r} is made for {layout} targets; this target has shape {shapes.target}.\n"
                + _suiting(shapes)
            )
        check_conditions(subnet, shapes)
        features = shapes.output or shapes.target[-1]
        self.subnet = _extensions.build(
            subnet, Shapes(target=shapes.target, conditions=shapes.conditions, time=shapes.time)
        )
        self.head = nn.Linear(self.subnet.out_features, features)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """`(*, D), (*), (*, C) -> (*, output)`."""
        return self.head(self.subnet(x, t, conditions))


def check_conditions(subnet: Any, shapes: Shapes) -> None:
    """Raise ShapeError where conditions have another number of axes than targets, and the subnet needs as many."""
    if getattr(subnet, "layout", None) is None or shapes.conditions is None:
        return
    if len(shapes.conditions) != len(shapes.target):
        raise ShapeError(
            f"{subnet.name!r} takes conditions with as many axes as targets; targets have shape {shapes.target}, "
            f"conditions {shapes.conditions}.\n"
            "Flatten the conditions, or give them as summary_variables to a summary network.",
            expected=shapes.target,
            got=shapes.conditions,
        )


def _suiting(shapes: Shapes) -> str:
    """A sentence that names the installed subnets which fit."""
    from ._index import entries
    from .errors import PluginError
    from .registry import resolve

    layout = {1: "vector", 3: "image"}.get(len(shapes.target))
    excluded = "no" if shapes.time else "required"
    names = []
    for entry in entries("subnet"):
        try:
            config = resolve(entry.qualified, kind="subnet")
        except PluginError:
            continue
        if config.layout == layout and config.uses_time != excluded:
            names.append(entry.name)
    return f"Subnets that fit: {listing(names)}"
