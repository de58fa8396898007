"""What is asked of integrators of stochastic differential equations with additive noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ..brownian import BrownianPath
from ..errors import ConfigError
from ..protocols import Brownian
from ._check import Check, NotApplicable, only, require
from ._fields import cloud, swirl, swirled, wide
from ._integrator_checks import ROUNDING, WAYS, slope

__all__ = ["CHECKS"]

PATHS, FINE = 400, 2048
MARGIN, LARGE = 0.3, 4.5


def drift(t: Tensor, x: Tensor, rows: Tensor | None = None) -> Tensor:
    """A bent drift that depends on time."""
    return torch.sin(2 * x + wide(t, x)) - x


def diffusion(t: Tensor) -> Tensor:
    """A scale of the noise that grows with time."""
    return 0.5 + t


def reference(x: Tensor, brownian: Brownian, t0: float, t1: float) -> Tensor:
    """The solution for `drift` and `diffusion` by the Itô-Taylor scheme of strong order 1.5, in small steps.

    Kloeden and Platen (1992), Numerical Solution of Stochastic Differential Equations,
    doi:10.1007/978-3-662-12616-5, section 10.4. Backwards it is the equation in the time `t0 - t`.
    """
    sign, h = math.copysign(1.0, t1 - t0), abs(t1 - t0) / FINE
    times = [t0 + (t1 - t0) * (i / FINE) for i in range(FINE)] + [t1]
    for t, then in pairwise(times):
        w, levy = brownian(t, then)
        z = h * (w / 2 + levy)
        a, a_t, a_x, a_xx = _derivatives(t, x, sign)
        b, b_t = 0.5 + t, sign
        x = x + a * h + b * w + a_x * b * z + b_t * (w * h - z) + (a_t + a * a_x + b * b * a_xx / 2) * h * h / 2
    return x


def _derivatives(t: float, x: Tensor, sign: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The drift in the time that runs forwards, with its derivatives in time, in x, and twice in x."""
    sine, cosine = torch.sin(2 * x + t), torch.cos(2 * x + t)
    return sign * (sine - x), cosine, sign * (2 * cosine - 1), sign * -4 * sine


def by_steps(config: Any, steps: int, x: Tensor, t0: float, t1: float, brownian: Brownian) -> Tensor:
    """The state after equal steps, which an adaptive method need not take."""
    try:
        return config.integrate(drift, x, t0, t1, diffusion=diffusion, brownian=brownian, steps=steps).state
    except ConfigError as error:
        if config.adaptive:
            raise NotApplicable(f"an adaptive method that takes no equal steps: {error}") from error
        raise


def check_strong_order(config: Any) -> None:
    """On one Brownian path the error falls at the declared `order`: see `Brownian` for what W and H are."""
    x = torch.linspace(-1, 1, PATHS, dtype=torch.float64)[:, None]
    for t0, t1 in WAYS:
        path = BrownianPath(x.shape, seed=1)
        exact, steps = reference(x, path, t0, t1), (8, 16, 32, 64)
        errors = [float((by_steps(config, n, x, t0, t1, path) - exact).square().mean().sqrt()) for n in steps]
        found = slope(steps, errors)
        require(
            abs(found - config.order) <= MARGIN,
            f"from {t0:g} to {t1:g} it is {found:.2f}, declared is {config.order:g}",
        )


def check_noise_free(config: Any) -> None:
    """Without diffusion the path has no effect, and the solution is that of the ordinary equation."""
    x = cloud(20)
    for t0, t1 in WAYS:
        exact = swirled(x, t0, t1)

        def error(seed: int, exact: Tensor = exact, t0: float = t0, t1: float = t1, **options: Any) -> Tensor:
            path = BrownianPath(x.shape, seed=seed)
            return (
                config.integrate(swirl, x, t0, t1, diffusion=torch.zeros_like, brownian=path, **options).state - exact
            )

        if config.adaptive:
            gap = float(error(1).abs().max())
            require(gap < 0.1, f"from {t0:g} to {t1:g} the error is {gap:.1e}")
            continue
        require(torch.equal(error(1, steps=8), error(2, steps=8)), "another path gives another solution")
        steps = (32, 64, 128)
        found = slope(steps, [float(error(1, steps=count).square().mean().sqrt()) for count in steps])
        require(found >= config.order - MARGIN, f"from {t0:g} to {t1:g} the error falls at order {found:.2f}")


def check_path(config: Any) -> None:
    """All noise comes from `brownian`: one path gives one solution, each row from its own, another path another."""
    x = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(3, 2)
    path, options = BrownianPath(x.shape, seed=1), {} if config.adaptive else {"steps": 8}

    def solve(x: Tensor, path: Brownian, scale: Callable[[Tensor], Tensor] = diffusion) -> Tensor:
        return config.integrate(drift, x, 0.0, 1.0, diffusion=scale, brownian=path, **options).state

    once = solve(x, path)
    require(once.isfinite().all(), "the solution is not finite")
    require(torch.equal(solve(x, path), once), "the same path gives another solution")
    require(not torch.equal(solve(x, BrownianPath(x.shape, seed=2)), once), "another path gives the same solution")

    def last(t0: Any, t1: Any) -> tuple[Tensor, Tensor]:
        w, levy = path(*(t.expand(3) if isinstance(t, Tensor) else t for t in (t0, t1)))
        return w[2:], levy[2:]

    alone = solve(x[2:], last)
    require(torch.allclose(alone, once[2:], rtol=1e-9, atol=ROUNDING), "a row alone ends elsewhere than among others")


def check_moments(config: Any) -> None:
    """Solutions of `dx = -x dt + b dW` have the known mean and variance: scale `W` by the diffusion alone."""
    shape, b = (10, 2_000), 0.7
    count = math.prod(shape)
    for t0, t1 in WAYS:
        sign, options = math.copysign(1.0, t1 - t0), {} if config.adaptive else {"steps": 64}
        x, path = torch.full(shape, 2.0, dtype=torch.float64), BrownianPath(shape, seed=3)
        got = config.integrate(
            lambda t, x, rows, sign=sign: -sign * x,
            x,
            t0,
            t1,
            diffusion=lambda t: b * torch.ones_like(t),
            brownian=path,
            **options,
        ).state
        mean, scale = 2 * math.exp(-1), b * math.sqrt(-math.expm1(-2) / 2)
        bias = 0.1 if config.adaptive else 1 / 64
        for name, found, exact, error in (
            ("mean", got.mean(), mean, scale / math.sqrt(count)),
            ("standard deviation", got.std(), scale, scale / math.sqrt(2 * count)),
        ):
            margin = LARGE * error + bias * exact
            require(
                abs(float(found) - exact) < margin,
                f"from {t0:g} to {t1:g} the {name} is {found:.3f}, expected {exact:.3f} within {margin:.3f}",
            )


_of_noise = only(lambda config: config.stochastic and not config.denoises)

CHECKS: tuple[Check, ...] = (
    *map(_of_noise, (check_strong_order, check_noise_free)),
    *map(_of_noise, (check_path, check_moments)),
)
