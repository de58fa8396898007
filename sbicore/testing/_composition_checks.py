"""What is asked of inference networks that draw given several data sets."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..composition import Items, NormalLaws
from ..errors import ConfigError
from ..randomness import RowGenerators
from ._check import NotApplicable, only, require
from ._network_cases import NetworkCase, close, network_cases

__all__ = ["CHECKS"]

ROWS, DRAWS, COUNT = 2, 5, 3


@only(lambda config: "compositional_sample" in config.capabilities)
def check_composition(config: Any) -> None:
    """`compositional_sample((R, S), items)` gives finite draws `(R, S, *event)`, each row for itself.

    The order of the items does not matter, and a single one gives what `sample` gives by the same solver. A config
    whose field has no score may refuse.
    """
    for case in network_cases(config):
        if case.shapes.conditions is None:
            continue
        network, items = case.make(), _items(case)
        try:
            found = _draw(network, items)
        except ConfigError as error:
            raise NotApplicable(str(error)) from error
        expected = (ROWS, DRAWS, *case.shapes.target)
        require(found.shape == expected, f"{case}: expected draws {expected}, got {tuple(found.shape)}")
        require(found.isfinite().all(), f"{case}: draws are not finite")
        laws = NormalLaws(*(part.flip(1) for part in items.posteriors))
        turned = items._replace(conditions=items.conditions.flip(1), posteriors=laws)
        require(close(_draw(network, turned), found), f"{case}: the order of the items changes the draws")
        moved = _draw(network, items._replace(conditions=items.conditions + 0.5))
        require(not close(moved, found), f"{case}: conditions have no effect")
        alone = _draw(network, items.rows(torch.tensor([1])), [1])
        require(close(alone[0], found[1]), f"{case}: a row alone has other draws than among others")
        single = Items(items.conditions[:, :1], NormalLaws(*(part[:, :1] for part in items.posteriors)), items.prior)
        steps = {"method": "euler", "steps": 3}
        with torch.inference_mode():
            usual = network.sample((ROWS, DRAWS), single.conditions, generator=_generators(range(ROWS)), **steps)
        same = torch.allclose(_draw(network, single, **steps), usual, rtol=1e-3, atol=1e-3)
        require(same, f"{case}: of a single item, draws are not those of sample")


def _items(case: NetworkCase) -> Any:
    size = case.shapes.target[0]
    conditions = case.given((ROWS, COUNT))
    precisions = 2 * torch.eye(size, dtype=torch.float64).expand(ROWS, COUNT, size, size)
    return Items(conditions, NormalLaws(torch.zeros(ROWS, COUNT, size), precisions), lambda x: -x)  # type: ignore[arg-type]


def _draw(network: Any, items: Items, rows: Any = range(ROWS), **options: Any) -> Tensor:
    with torch.inference_mode():
        found = network.compositional_sample((len(rows), DRAWS), items, generator=_generators(rows), **options)
    drawn: Tensor = found.clone()
    return drawn


def _generators(rows: Any) -> RowGenerators:
    return RowGenerators(0, [(row,) for row in rows])


CHECKS = (check_composition,)
