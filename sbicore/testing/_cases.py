"""Modules to look at, with inputs that fit: what the checks of subnets and summary networks run over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..randomness import generator_for
from ..shapes import Shapes

__all__ = ["Case", "cases", "shaken"]


class Case(NamedTuple):
    """A config with shapes that it must build for."""

    config: Any
    shapes: Shapes
    sizes: dict[str, tuple[int, ...]]

    def make(self) -> Any:
        """A new module, shaken."""
        return shaken(self.config.build(self.shapes))

    def inputs(self, lead: Sequence[int], dtype: torch.dtype | None = None) -> dict[str, Tensor]:
        """Arguments with these leading axes."""
        generator = generator_for(2)
        return {name: torch.rand((*lead, *size), generator=generator).to(dtype) for name, size in self.sizes.items()}

    def output(self, lead: Sequence[int], module: Any) -> tuple[int, ...]:
        """The shape that must come out."""
        kept = self.shapes.target[:-1] if self.config.kind == "subnet" else ()
        return (*lead, *kept, module.out_features)

    def __str__(self) -> str:
        return str(self.shapes)


def cases(config: Any, output: int | None = None) -> Iterator[Case]:
    """Shapes with and without time and conditions; for a summary network, those of its layout."""
    if config.kind == "summary_network":
        entry: tuple[int, ...] = (8, 8, 3) if config.layout == "image" else (6, 3)
        yield Case(config, Shapes(target=entry, output=output), {"x": entry})
        return
    target, context = ((3,), (2,)) if config.layout == "vector" else ((8, 8, 3), (8, 8, 2))
    for time in {"required": (True,), "optional": (True, False), "no": (False,)}[config.uses_time]:
        for conditions in (None, context):
            shapes = Shapes(target=target, conditions=conditions, time=time, output=output)
            sizes: dict[str, tuple[int, ...]] = {"x": target}
            sizes |= {"t": ()} if time else {}
            sizes |= {"conditions": conditions} if conditions else {}
            yield Case(config, shapes, sizes)


def shaken(module: Any, seed: int = 1) -> Any:
    """The module in evaluation mode, its parameters moved: layers that start at zero hide what follows them."""
    generator = generator_for(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module.eval()
