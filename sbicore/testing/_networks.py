"""Inference networks, on a tiny subnet: losses, draws, densities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import torch
from torch import Tensor

from ..randomness import RowGenerators, generator_for
from ..shapes import Shapes
from ._subnets import shaken
from ._tiny import TinySubnet

ROWS, DRAWS = 3, 5


def cases(config: Any) -> Iterator[tuple[Any, int, Tensor | None]]:
    """Networks for one and for two target dimensions, with conditions `(R, 1, C)` and without."""
    if any(field.name == "subnet" for field in attrs.fields(type(config))):
        config = config.replace(subnet=TinySubnet())
    for size in (1, 2):
        for conditions in (None, torch.randn((ROWS, 1, 4), generator=generator_for(1))):
            shapes = Shapes(target=(size,), conditions=None if conditions is None else (4,))
            yield shaken(config.build(shapes)), size, conditions


def draw(network: Any, conditions: Tensor | None, seed: int = 0, rows: tuple[int, ...] = (0, 1, 2)) -> Tensor:
    """Draws for some of the rows, each with its own generator."""
    chosen = None if conditions is None else conditions[list(rows)]
    with torch.no_grad():
        generators = RowGenerators(seed, [(row,) for row in rows])
        return network.sample((len(rows), DRAWS), chosen, generator=generators)


def check_loss(config: Any) -> None:
    """`loss` gives one finite number a sample and can be minimised."""
    for network, size, conditions in cases(config):
        for count in (1, 6):
            targets = torch.randn((count, size), generator=generator_for(2))
            given = None if conditions is None else conditions[:1, 0].expand(count, -1)
            loss = network.loss(targets, given, generator=generator_for(3))
            assert loss.shape == (count,), f"expected shape {(count,)}, got {tuple(loss.shape)}"
            assert loss.isfinite().all(), f"got {loss}"
            again = network.loss(targets, given, generator=generator_for(3))
            assert torch.equal(loss, again), "the same generator gives another loss"
            loss.mean().backward()
            assert any(p.grad is not None and p.grad.any() for p in network.parameters()), "no parameter has a gradient"


def check_sample(config: Any) -> None:
    """`sample` gives finite draws (R, S, *event) that its generators determine, row by row."""
    if "sample" not in config.capabilities:
        return
    for network, size, conditions in cases(config):
        draws = draw(network, conditions)
        assert draws.shape == (ROWS, DRAWS, size), f"expected {(ROWS, DRAWS, size)}, got {tuple(draws.shape)}"
        assert draws.isfinite().all(), "not finite"
        assert torch.equal(draws, draw(network, conditions)), "the same seed gives other draws"
        assert not torch.equal(draws, draw(network, conditions, seed=1)), "another seed gives the same draws"
        alone = draw(network, conditions, rows=(1,))
        torch.testing.assert_close(
            alone, draws[1:2], rtol=1e-4, atol=1e-5, msg=lambda text: f"a row depends on its neighbours: {text}"
        )


def check_log_prob(config: Any) -> None:
    """`log_prob` gives one finite number a draw."""
    if "log_prob" not in config.capabilities:
        return
    for network, size, conditions in cases(config):
        targets = torch.randn((ROWS, DRAWS, size), generator=generator_for(4))
        values = network.log_prob(targets, conditions)
        assert values.shape == (ROWS, DRAWS), f"expected {(ROWS, DRAWS)}, got {tuple(values.shape)}"
        assert values.isfinite().all(), f"got {values}"


def check_options(config: Any) -> None:
    """A misspelt option of `sample` is an error before any work."""
    if "sample" not in config.capabilities:
        return
    network, _, conditions = next(cases(config))
    try:
        network.sample((ROWS, DRAWS), conditions, not_an_option=1)
    except TypeError:
        return
    raise AssertionError("not_an_option=1 was accepted")


CHECKS = (check_loss, check_sample, check_log_prob, check_options)
