"""The module of `fusion_network`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sbicore.errors import ConfigError, SbicoreError
from sbicore.shapes import Shapes

from .fusion_network import FusionNetwork

__all__ = ["FusionNetworkModule"]


class FusionNetworkModule(nn.Module):
    """`(x {name: (*, *event)}, mask {name: (*, N)}) -> (*, S)`: summaries side by side in the order of sorted names.

    Late fusion (arXiv:2311.10671). Sorted, so that configs which are equal make equal modules.
    """

    def __init__(self, config: FusionNetwork, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.names = tuple(sorted(config.backbones))
        self._require(shapes.inputs, "the variables")
        self.backbones = nn.ModuleList(_built(name, config.backbones[name], shapes) for name in self.names)
        parts: Any = self.backbones
        width = sum(part.out_features for part in parts)
        self.out_features = shapes.output or width
        self.head: Any = None
        if config.head is not None:
            self.head = config.head.build(Shapes(target=(width,), output=shapes.output))
            self.out_features = self.head.out_features
        elif shapes.output:
            self.head = nn.Linear(width, shapes.output)

    def forward(self, x: Mapping[str, Tensor], mask: Mapping[str, Tensor] | None = None) -> Tensor:
        """Variables without a mask are read as a whole."""
        masks = mask or {}
        self._require(x, "x")
        for name in masks:
            if name not in self.names:
                raise ConfigError(f"there is a mask of {name!r}, and no backbone\nBackbones: {', '.join(self.names)}")
        parts = [
            backbone(x[name], masks[name]) if name in masks else backbone(x[name])
            for name, backbone in zip(self.names, self.backbones, strict=True)
        ]
        joined = torch.cat(parts, dim=-1)
        return joined if self.head is None else self.head(joined)

    def _require(self, given: Iterable[str], what: str) -> None:
        """Raise ConfigError where there is not one backbone for each variable."""
        if tuple(sorted(given)) != self.names:
            raise ConfigError(
                f"{what} are {', '.join(sorted(given)) or 'none'}, and the backbones of 'fusion_network' for "
                f"{', '.join(self.names)}\nGive each variable a backbone of its name."
            )


def _built(name: str, backbone: Any, shapes: Shapes) -> nn.Module:
    try:
        module: nn.Module = backbone.build(Shapes(target=shapes.inputs[name]))
    except SbicoreError as error:
        raise error.within(name).within("backbones") from error.__cause__
    return module
