"""Inference networks to look at, on a tiny subnet, with inputs that fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import attrs
import torch
from torch import Tensor

from ..errors import ConfigError, DataError
from ..randomness import RowGenerators, generator_for
from ..shapes import Shapes
from ._cases import shaken
from ._check import require
from .toys import TinySubnet

__all__ = ["NetworkCase", "close", "has_subnet", "network_cases", "on_subnet"]

CONDITIONS = 4
ROWS = (0, 1, 2)


class NetworkCase(NamedTuple):
    """A config with shapes that it builds for."""

    config: Any
    shapes: Shapes

    def make(self, seed: int = 1) -> Any:
        """A new network, shaken, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = self.config.build(self.shapes)
        return shaken(network, seed)

    def pairs(self, count: int, dtype: torch.dtype = torch.float32) -> tuple[Tensor, Tensor | None]:
        """Targets `(B, *event)` and conditions `(B, C)`."""
        return _randn(2, (count, *self.shapes.target), dtype), self.given((count,), dtype)

    def given(self, lead: Sequence[int], dtype: torch.dtype = torch.float32) -> Tensor | None:
        """Conditions with these leading axes, each row other ones; None where there are none."""
        return None if self.shapes.conditions is None else _randn(3, (*lead, *self.shapes.conditions), dtype)

    def draw(
        self,
        network: Any,
        rows: Sequence[int] = ROWS,
        count: int = 5,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        shift: float = 0.0,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` as an approximator asks for them: a generator and a row of conditions for each."""
        observed = self.given((len(ROWS), 1), dtype)
        chosen = None if observed is None else observed[list(rows)] + shift
        generators = RowGenerators(seed, [(row,) for row in rows])
        with torch.inference_mode():
            draws = network.sample((len(rows), count), chosen, generator=generators, report={}, **options)
        expected = (len(rows), count, *self.shapes.target)
        require(draws.shape == expected, f"{self}: expected draws {expected}, got {tuple(draws.shape)}")
        return draws.clone()

    def log_prob(self, network: Any, targets: Tensor, conditions: Tensor | None, **options: Any) -> Tensor:
        """Log densities `(R, S)` as an approximator asks for them."""
        generators = RowGenerators(0, [(row,) for row in range(len(targets))])
        values = network.log_prob(targets, conditions, generator=generators, report={}, **options)
        expected = targets.shape[: targets.ndim - len(self.shapes.target)]
        require(values.shape == expected, f"{self}: expected {tuple(expected)}, got {tuple(values.shape)}")
        return values

    def __str__(self) -> str:
        size = self.shapes.target[0] if len(self.shapes.target) == 1 else self.shapes.target
        return f"targets of size {size}, {'no' if self.shapes.conditions is None else 'with'} conditions"


def network_cases(config: Any, *sizes: int) -> Iterator[NetworkCase]:
    """One and two dimensions, or these, without conditions and with; a network may refuse to go without."""
    config = on_subnet(config)
    for size in sizes or (1, 2):
        for conditions in (None, (CONDITIONS,)):
            case = NetworkCase(config, Shapes(target=(size,), conditions=conditions))
            try:
                case.make()
            except (ConfigError, DataError):
                if conditions is not None:
                    raise
                continue
            yield case


def has_subnet(config: Any) -> bool:
    """Whether it has a component `subnet`."""
    field = attrs.fields_dict(type(config)).get("subnet")
    return field is not None and field.metadata.get("type") == "component"


def on_subnet(config: Any, subnet: Any = None) -> Any:
    """The config on this subnet, by default the tiny one; itself if it has none."""
    return config.replace(subnet=subnet or TinySubnet()) if has_subnet(config) else config


def close(one: Tensor, other: Tensor) -> bool:
    """Whether they are alike up to the rounding of float32 in another order."""
    return torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def _randn(seed: int, shape: Sequence[int], dtype: torch.dtype) -> Tensor:
    return torch.randn(tuple(shape), generator=generator_for(seed)).to(dtype)
