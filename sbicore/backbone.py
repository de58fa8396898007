"""A subnet with the output head that its inference network owns."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from . import _extensions
from .errors import ConfigError
from .shapes import Shapes

__all__ = ["Backbone"]


class Backbone(nn.Module):
    """`head(subnet(x, t, conditions))` with `shapes.output` features on the last axis.

    Args:
        subnet: config of the subnet.
        shapes: target, conditions, time, and the features that the network needs as `output`.

    Raises:
        ConfigError: the subnet requires a time and the network has none, or the other way
            round; or it is made for targets of another rank.
    """

    def __init__(self, subnet: Any, shapes: Shapes) -> None:
        super().__init__()
        uses_time = subnet.uses_time
        if shapes.time and uses_time == "no":
            raise ConfigError(f"{subnet.name!r} takes no time, which this network needs.\n{_suiting('required')}")
        if not shapes.time and uses_time == "required":
            raise ConfigError(f"{subnet.name!r} needs a time, which this network has not.\n{_suiting('no')}")
        layout = getattr(subnet, "layout", None)
        if layout == "vector" and len(shapes.target) != 1:
            raise ConfigError(
                f"{subnet.name!r} is made for vectors (D,), but the target has shape {shapes.target}.\n"
                "Give a subnet for images, such as unet or uvit."
            )
        if layout == "image" and len(shapes.target) != 3:
            raise ConfigError(
                f"{subnet.name!r} is made for images (H, W, C), but the target has shape {shapes.target}.\n"
                "Give a subnet for vectors, such as time_mlp."
            )
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


def _suiting(uses_time: str) -> str:
    from . import _index
    from .registry import resolve

    wanted = {"optional", uses_time}
    names = []
    for entry in _index.entries("subnet"):
        try:
            if resolve(entry.qualified, kind="subnet").uses_time in wanted:
                names.append(entry.name)
        except Exception as error:
            names.append(f"({entry.name}: {type(error).__name__})")
    return f"Subnets that fit: {', '.join(names) or 'none installed'}"
