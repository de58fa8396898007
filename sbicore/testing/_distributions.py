"""Base distributions: draws and densities."""

from __future__ import annotations

import math
from typing import Any

import torch

from ..errors import ConfigError
from ..randomness import RowGenerators
from ..shapes import Shapes


def built(config: Any, sizes: tuple[int, ...] = (3, 2, 1)) -> tuple[Any, int] | None:
    """The distribution over the first of these event sizes that its values fit."""
    for size in sizes:
        try:
            return config.build(Shapes(target=(size,))), size
        except ConfigError:
            continue
    return None


def draw(distribution: Any, size: int, rows: tuple[int, ...] = (0, 1, 2), seed: int = 0) -> torch.Tensor:
    """Draws of rows, each with its own generator."""
    generators = RowGenerators(seed, [(row,) for row in rows])
    draws: torch.Tensor = distribution.sample((len(rows), 50, size), generator=generators).detach()
    return draws


def check_sample(config: Any) -> None:
    """Draws have the shape asked for, are finite, and each row depends on its generator alone."""
    found = built(config)
    assert found, "it can be built for no event of one to three numbers"
    draws = draw(*found)
    assert draws.shape == (3, 50, found[1]), f"expected {(3, 50, found[1])}, got {tuple(draws.shape)}"
    assert draws.isfinite().all(), "not finite"
    assert torch.equal(draw(*found, rows=(1,)), draws[1:2]), "a row depends on its neighbours"
    assert not torch.equal(draw(*found, seed=1), draws), "another seed gives the same draws"


def check_log_prob(config: Any) -> None:
    """`log_prob` sums over the event; in one dimension the density integrates to one."""
    found = built(config)
    assert found, "it can be built for no event of one to three numbers"
    values = found[0].log_prob(draw(*found))
    assert values.shape == (3, 50), f"expected (3, 50), got {tuple(values.shape)}"
    line = built(config, (1,))
    if line:
        draws = draw(*line).double()
        u = torch.linspace(-math.pi / 2, math.pi / 2, 40_002, dtype=torch.float64)[1:-1]
        x = draws.median() + draws.std() * u.tan()
        density = line[0].log_prob(x[:, None]).detach().exp() * draws.std() / u.cos().square()
        total = float(torch.trapezoid(density, u))
        assert abs(total - 1) < 1e-3, f"the integral is {total:.4f}"


CHECKS = (check_sample, check_log_prob)
