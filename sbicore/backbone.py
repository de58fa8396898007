"""A subnet with the output head that its inference network owns."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from . import _extensions
from ._messages import listing
from .errors import ConfigError, ShapeError
from .shapes import Shapes

__all__ = ["Backbone", "check_conditions", "compiled_parts"]


_EVENTS = {1: "(L, C)", 2: "(H, W, C)", 3: "(D, H, W, C)"}


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
        uses_time = subnet.uses_time
        if shapes.time and uses_time == "no":
            raise ConfigError(f"{subnet.name!r} takes no time, which this network needs.\n{_suiting(shapes)}")
        if not shapes.time and uses_time == "required":
            raise ConfigError(f"{subnet.name!r} needs a time, which this network has not.\n{_suiting(shapes)}")
        if not _fits(subnet, shapes):
            raise ConfigError(
                f"{subnet.name!r} is made for {_made_for(subnet)}; this target has shape {shapes.target}.\n"
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
    """Raise ShapeError where conditions are not laid out as the subnet needs them.

    Beside vectors, they are vectors; beside images, images of the same size, or vectors where the subnet takes them.
    """
    layout, conditions, target = getattr(subnet, "layout", None), shapes.conditions, shapes.target
    if layout is None or conditions is None:
        return
    if layout == "vector" and len(conditions) != len(target):
        advice = "Flatten the conditions, or give them as summary_variables to a summary network."
    elif layout == "vector" or conditions[:-1] == target[:-1]:
        return
    elif len(conditions) == 1:
        if subnet.takes_vectors:
            return
        advice = "Repeat them for each pixel: Adapter().broadcast(...), or take a subnet such as 'unet'."
    elif target == conditions[:-1] or conditions == target[:-1]:
        lacking = "targets" if target == conditions[:-1] else "conditions"
        advice = f"The {lacking} lack an axis for channels: [..., None] adds one."
    else:
        advice = "Resize the conditions to the targets' pixels, or give them as summary_variables to a summary network."
    told = "with as many axes as targets" if layout == "vector" else "on the pixels of the targets"
    raise ShapeError(
        f"{subnet.name!r} takes conditions {told}; targets have shape {target}, conditions {conditions}.\n{advice}",
        expected=target,
        got=conditions,
    )


def _fits(subnet: Any, shapes: Shapes) -> bool:
    """Whether the subnet is made for targets with this number of axes; any module of the user's is."""
    layout, axes = getattr(subnet, "layout", None), len(shapes.target) - 1
    if layout is None:
        return True
    return axes == 0 if layout == "vector" else axes in subnet.spatial_axes


def _made_for(subnet: Any) -> str:
    if subnet.layout == "vector":
        return "vector targets"
    return f"image targets {' or '.join(_EVENTS[axes] for axes in subnet.spatial_axes)}"


def _suiting(shapes: Shapes) -> str:
    """A sentence that names the installed subnets which fit."""
    from ._index import entries
    from .errors import PluginError
    from .registry import resolve

    excluded = "no" if shapes.time else "required"
    names = []
    for entry in entries("subnet"):
        try:
            config = resolve(entry.qualified, kind="subnet")
        except PluginError:
            continue
        if _fits(config, shapes) and config.uses_time != excluded:
            names.append(entry.name)
    if len(shapes.target) - 1 > max(_EVENTS):
        return (
            f"Images have one to three axes of pixels and one of channels: {', '.join(_EVENTS.values())}. Flatten it."
        )
    if not names and len(shapes.target) > 1:
        return "Flatten it, or choose a network for images such as 'flow_matching' with the subnet 'unet'."
    return f"Subnets that fit: {listing(names)}"
