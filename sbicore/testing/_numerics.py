"""What is asked of integrators, distributions and simulators."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from ..errors import ConfigError
from ..randomness import RowGenerators
from ..shapes import Shapes
from ._require import require

ROUNDING = 1e-13


def check_order(config: Any) -> None:
    """With equal steps the error of an integrator falls at its declared order, in both directions."""
    start = torch.tensor([[-1.0], [0.2], [0.7]], dtype=torch.float64)

    def exact(t: float) -> torch.Tensor:
        """`dx/dt = cos(t + x)` has the solution `2 atan(t + c) - t`."""
        return 2 * torch.atan(t + start) - t

    def error(t0: float, t1: float, steps: int) -> float:
        solution = config.integrate(lambda t, x, rows: (t + x).cos(), exact(t0), t0, t1, steps=steps)
        require(solution.steps.tolist() == [steps] * 3, f"{steps} steps asked for, {solution.steps.tolist()} reported")
        return float((solution.state - exact(t1)).abs().max())

    for t0, t1 in ((0.0, 2.0), (2.0, 0.0)):
        errors = [error(t0, t1, steps) for steps in (4, 8, 16, 32, 64, 128)]
        errors = errors[:1] + [value for value in errors[1:] if value > ROUNDING]
        order = math.log2(errors[-2] / errors[-1]) if len(errors) > 1 else math.inf
        require(order >= config.order - 0.3, f"from {t0} to {t1} it is {order:.2f}, declared is {config.order}")


def built(config: Any, *sizes: int) -> tuple[Any, int] | None:
    """A distribution over the first of these event sizes that its values fit."""
    for size in sizes:
        try:
            return config.build(Shapes(target=(size,))), size
        except ConfigError:
            continue
    return None


def check_distribution(config: Any) -> None:
    """Draws have the shape asked for, each row from its own generator; a density integrates to one."""
    found = built(config, 3, 2, 1)
    if found is None:
        raise AssertionError("it fits no event of one to three numbers")
    distribution, size = found

    def draw(seed: int, *rows: int) -> torch.Tensor:
        generators = RowGenerators(seed, [(row,) for row in rows])
        return distribution.sample((len(rows), 50, size), generator=generators).detach()

    draws = draw(0, 0, 1, 2)
    require(draws.shape == (3, 50, size), f"expected {(3, 50, size)}, got {tuple(draws.shape)}")
    require(draws.isfinite().all(), "draws are not finite")
    require(torch.equal(draw(0, 1), draws[1:2]), "a row depends on its neighbours")
    require(not torch.equal(draw(1, 0, 1, 2), draws), "another seed gives the same draws")
    values = distribution.log_prob(draws)
    require(values.shape == (3, 50), f"log_prob: expected (3, 50), got {tuple(values.shape)}")
    line = built(config, 1)
    if line:
        some = line[0].sample((1000, 1), generator=torch.Generator().manual_seed(1)).detach().double()
        u = torch.linspace(-math.pi / 2, math.pi / 2, 40_002, dtype=torch.float64)[1:-1]
        density = line[0].log_prob((some.median() + some.std() * u.tan())[:, None]).detach().exp()
        total = float(torch.trapezoid(density * some.std() / u.cos().square(), u))
        require(abs(total - 1) < 1e-3, f"the density integrates to {total:.4f}")


def check_simulator(config: Any) -> None:
    """`sample(n, seed=...)` gives n rows of each variable, which the seed determines."""
    for n in (1, 5):
        data, again, other = (config.sample(n, seed=seed) for seed in (1, 1, 2))
        require(data, "there are no variables")
        for name, value in data.items():
            require(len(value) == n, f"{n} rows were asked for, {name} has {len(value)}")
            require(np.array_equal(value, again[name]), f"the same seed gives another {name}")
        require(any(not np.array_equal(data[name], other[name]) for name in data), "another seed gives the same data")


CHECKS = {
    "integrator": (check_order,),
    "distribution": (check_distribution,),
    "simulator": (check_simulator,),
}
