"""Modules to look at, with inputs that fit: what the checks of subnets and summary networks run over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ..randomness import generator_for
from ..shapes import Shapes

__all__ = ["Case", "cases", "entries_of", "readings", "shaken"]


class Case(NamedTuple):
    """A config with shapes that it must build for; `sizes` are those of its arguments."""

    config: Any
    shapes: Shapes
    sizes: Mapping[str, tuple[int, ...]]

    def make(self) -> Any:
        """A new module, shaken."""
        return shaken(self.config.build(self.shapes))

    def inputs(self, lead: Sequence[int], dtype: torch.dtype | None = None) -> dict[str, Tensor]:
        """Arguments with these leading axes."""
        generator = generator_for(2)
        return {name: torch.rand((*lead, *size), generator=generator).to(dtype) for name, size in self.sizes.items()}

    def call(self, module: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        """The module of these arguments; of the layout `named` it takes them as one."""
        found: Tensor = module(dict(inputs)) if self.shapes.inputs else module(**inputs)
        return found

    def output(self, lead: Sequence[int], module: Any) -> tuple[int, ...]:
        """The shape that must come out."""
        kept = self.shapes.target[:-1] if self.config.kind == "subnet" else ()
        return (*lead, *kept, module.out_features)

    def __str__(self) -> str:
        return str(self.shapes)


class Reading(NamedTuple):
    """One variable that a summary network reads: `config` says how, `event` is its shape."""

    config: Any
    event: tuple[int, ...]
    whole: Case
    name: str | None

    def make(self) -> Any:
        """A new module of this variable and its mask alone; the others, if any, are as in `Case.inputs`."""
        return self.whole.make() if self.name is None else _Alone(self.whole, self.name)

    def inputs(self, lead: Sequence[int], dtype: torch.dtype | None = None) -> Tensor:
        """The variable with these leading axes."""
        return self.whole.inputs(lead, dtype)[self.name or "x"]

    def __str__(self) -> str:
        return str(self.whole) if self.name is None else f"{self.whole}, {self.name!r}"


class _Alone(nn.Module):
    """A network of several variables as one of a single one."""

    def __init__(self, case: Case, name: str) -> None:
        super().__init__()
        self.module, self.case, self.name = case.make(), case, name

    def forward(self, x: Tensor, *masks: Tensor, **named: Tensor) -> Tensor:
        """`(*, *event), (*, N) -> (*, S)`."""
        lead = x.shape[: -len(self.case.sizes[self.name])]
        given = {**self.case.inputs(lead, x.dtype), self.name: x}
        found: Tensor = self.module(given, *({self.name: mask} for mask in (*masks, *named.values())))
        return found


def cases(config: Any, output: int | None = None) -> Iterator[Case]:
    """Shapes with and without time and conditions; for a summary network, those of its layout."""
    if config.kind == "summary_network":
        if config.layout == "named":
            sizes = {name: entries_of(read) for name, read in config.inputs.items()}
            yield Case(config, Shapes(inputs=sizes, output=output), sizes)
        else:
            yield Case(config, Shapes(target=entries_of(config), output=output), {"x": entries_of(config)})
        return
    target, context = ((3,), (2,)) if config.layout == "vector" else ((8, 8, 3), (8, 8, 2))
    for time in {"required": (True,), "optional": (True, False), "no": (False,)}[config.uses_time]:
        for conditions in (None, context):
            shapes = Shapes(target=target, conditions=conditions, time=time, output=output)
            sizes = {"x": target}
            sizes |= {"t": ()} if time else {}
            sizes |= {"conditions": conditions} if conditions else {}
            yield Case(config, shapes, sizes)


def entries_of(read: Any) -> tuple[int, ...]:
    """The shape of a variable that is tried for this layout."""
    return (8, 8, 3) if getattr(read, "layout", None) == "image" else (6, 3)


def readings(config: Any) -> Iterator[Reading]:
    """Each variable that a summary network reads, as that of a network of its own."""
    for case in cases(config):
        for name, read in config.inputs.items() if config.layout == "named" else [(None, config)]:
            yield Reading(read, case.sizes[name or "x"], case, name)


def shaken(module: Any, seed: int = 1) -> Any:
    """The module in evaluation mode, its parameters moved: layers that start at zero hide what follows them."""
    generator = generator_for(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module.eval()
