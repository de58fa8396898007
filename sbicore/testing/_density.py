"""Whether a density integrates to one and is that of given draws, in one and in two dimensions."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ._check import require

__all__ = ["COUNT", "LARGE", "require_line", "require_plane"]

COUNT = 50_000
LARGE = 4.5
RARE = 1e-6

LogProb = Callable[[Tensor], Tensor]


def require_line(log_prob: LogProb, draws: Tensor, *, points: int = 40_000, slack: float = 2e-3) -> None:
    """Raise AssertionError unless the density `(N, 1) -> (N,)` has mass one and the law of draws `(N, 1)`.

    The two distribution functions differ by less than Kolmogorov's statistic exceeds once in a million,
    and `slack`, which is also the margin of the mass: what rounding, or a solver, is allowed.
    """
    draws = draws.detach().double().flatten().sort().values
    x, width = _axis(draws, points)
    mass = log_prob(x[:, None]).detach().double().exp() * width
    total = float(mass.sum())
    require(abs(total - 1) < slack, f"in one dimension the density integrates to {total:.4f}")
    below = mass.cumsum(0) - mass / 2
    place = torch.searchsorted(x, draws).clamp(1, len(x) - 1)
    part = (draws - x[place - 1]) / (x[place] - x[place - 1])
    expected = below[place - 1] + part.clamp(0, 1) * (below[place] - below[place - 1])
    steps = torch.arange(1, len(draws) + 1, dtype=torch.float64) / len(draws)
    gap = float(torch.maximum(steps - expected, expected - steps + 1 / len(draws)).max())
    margin = math.sqrt(-math.log(RARE / 2) / (2 * len(draws))) + slack
    require(
        gap < margin,
        f"in one dimension the share of draws below a point is off by {gap:.4f}, where {margin:.4f} is chance",
    )


def require_plane(log_prob: LogProb, draws: Tensor, *, points: int = 400, slack: float = 1e-3) -> None:
    """As `require_line`, in two dimensions: the density and the draws agree about means of bounded functions."""
    draws = draws.detach().double()
    (x, over), (y, up) = (_axis(draws[:, i].sort().values, points) for i in (0, 1))
    grid = torch.cartesian_prod(x, y)
    mass = log_prob(grid).detach().double().exp() * torch.cartesian_prod(over, up).prod(-1)
    total = float(mass.sum())
    require(abs(total - 1) < 1e-2, f"in two dimensions the density integrates to {total:.3f}")
    centre, scale = draws.median(0).values, _spread(draws.sort(0).values)
    expected, found = (_functions((values - centre) / scale) for values in (grid, draws))
    for name, function in found.items():
        mean = float((mass * expected[name]).sum() / total)
        margin = LARGE * float(function.std()) / math.sqrt(len(draws)) + slack
        gap = abs(float(function.mean()) - mean)
        require(gap < margin, f"in two dimensions draws and density differ by {gap:.4f} in the mean of {name}")


def _functions(z: Tensor) -> dict[str, Tensor]:
    """Bounded functions of standardised points `(N, 2)` that see location, scale, dependence and tails."""
    a, b = z[:, 0].tanh(), z[:, 1].tanh()
    return {
        "tanh a": a,
        "tanh b": b,
        "tanh a tanh b": a * b,
        "tanh² a": a * a,
        "tanh² b": b * b,
        "1 / (1 + a² + b²)": 1 / (1 + z.square().sum(-1)),
    }


def _axis(draws: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Points over the whole line, dense where sorted draws are, and the width that each stands for."""
    u = (torch.arange(count, dtype=torch.float64) + 0.5) / count * math.pi - math.pi / 2
    scale = _spread(draws)
    return draws[len(draws) // 2] + scale * u.tan(), scale / u.cos().square() * (math.pi / count)


def _spread(draws: Tensor) -> Tensor:
    """The distance between the quartiles of sorted draws."""
    count = len(draws)
    return (draws[3 * count // 4] - draws[count // 4]).clamp_min(1e-12)
