"""What is asked of every integrator; a stochastic one is asked without noise, one that denoises by its guess."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..brownian import BrownianPath
from ..errors import ConfigError, IntegrationError
from ..protocols import DenoisingIntegrator, Integrator
from ..randomness import generator_for
from ._check import NotApplicable, only, require, require_protocol
from ._fields import DECAY, Tally, cloud, swirl, swirled, wide

__all__ = ["CHECKS", "slope", "solve"]

WAYS = ((0.0, 1.0), (1.0, 0.0))
FALLING = ((0.9, 0.1),)
ROUNDING = 1e-12
BELOW, ABOVE, LARGE = 0.3, 0.7, 4.5


def ways(config: Any) -> tuple[tuple[float, float], ...]:
    """From where to where: methods that denoise run from noise to data alone."""
    return FALLING if config.denoises else WAYS


def solve(config: Any, field: Any, x: Any, t0: float, t1: float, **options: Any) -> Any:
    """The solution; a method of equal steps takes 50 of them unless told, a stochastic one has no noise.

    One that denoises is told the guess `x - t dx/dt` that goes with the field.
    """
    if not config.adaptive:
        options = {"steps": 50, **options}
    if config.denoises:

        def denoiser(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
            return x - wide(t, x) * field(t, x, rows)

        return config.integrate(denoiser, x, t0, t1, noise=lambda: torch.zeros_like(x), **options)
    if config.stochastic:
        path = BrownianPath(x.shape, seed=1, t0=t0, t1=t1, dtype=x.dtype)
        options = {"diffusion": torch.zeros_like, "brownian": path, **options}
    return config.integrate(field, x, t0, t1, **options)


def by_steps(config: Any, field: Any, x: Any, t0: float, t1: float, steps: int) -> Any:
    """The solution by equal steps, which an adaptive method need not take."""
    try:
        return solve(config, field, x, t0, t1, steps=steps)
    except ConfigError as error:
        if config.adaptive:
            raise NotApplicable(f"an adaptive method that takes no equal steps: {error}") from error
        raise


def slope(steps: Sequence[int], errors: Sequence[float]) -> float:
    """The order at which errors fall."""
    return -float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def check_methods(config: Any) -> None:
    """The integrator has `integrate` of `sbicore.protocols.Integrator`, and the `order` that its config declares."""
    built = config.build()
    require_protocol(built, DenoisingIntegrator if config.denoises else Integrator)
    require(built.order == config.order, f"the config says {config.order}, the integrator {built.order}")


def check_order(config: Any) -> None:
    """With equal steps the error falls at the declared `order`, forwards and backwards: declare the order it has."""
    if config.stochastic:
        raise NotApplicable("check_strong_order or check_known_draws looks at it")
    x = cloud(20)
    for t0, t1 in ways(config):
        exact = swirled(x, t0, t1)
        steps: list[int] = []
        errors: list[float] = []
        for count in (round(2 ** (k / 2)) for k in range(4, 17)):
            error = float((by_steps(config, swirl, x, t0, t1, count).state - exact).square().mean().sqrt())
            if error < ROUNDING:
                break
            steps.append(count)
            errors.append(error)
        found = slope(steps[-4:], errors[-4:]) if len(steps) > 1 else math.inf
        require(
            config.order - BELOW <= found <= config.order + ABOVE,
            f"from {t0:g} to {t1:g} it is {found:.2f}, declared is {config.order:g}",
        )


@only(lambda config: not config.denoises)
def check_constant(config: Any) -> None:
    """A constant field is integrated exactly, in both directions and whatever the steps."""
    x, rate = cloud(3), torch.tensor([0.7, -1.3], dtype=torch.float64)
    for t0, t1 in ways(config):
        for options in ({}, {"steps": None}):
            got = solve(config, lambda t, x, rows: rate.expand_as(x), x, t0, t1, **options).state
            gap = float((got - x - (t1 - t0) * rate).abs().max())
            require(gap < ROUNDING, f"from {t0:g} to {t1:g} with {_shown(options)} the error is {gap:.1e}")


@only(lambda config: not config.denoises and not (config.adaptive and config.stochastic))
def check_return(config: Any) -> None:
    """There and back along one field ends where it began, the closer the smaller the steps or tolerances."""
    x = cloud(20)

    def gap(**options: Any) -> float:
        there = solve(config, swirl, x, 0.0, 1.0, **options).state
        return float((solve(config, swirl, there, 1.0, 0.0, **options).state - x).abs().max())

    if config.adaptive:
        coarse, fine = gap(rtol=1e-4, atol=1e-4), gap(rtol=1e-7, atol=1e-7)
    else:
        coarse, fine = gap(steps=64), gap(steps=256)
    require(fine < max(0.5 * coarse, 1e-9), f"it misses by {coarse:.1e}, and by {fine:.1e} after finer steps")


def check_states(config: Any) -> None:
    """States `(R, ...)` keep shape and dtype, tuples of them their structure; counts are whole numbers `(R,)`."""
    start, stop = ways(config)[0]
    for dtype in (torch.float32, torch.float64):
        x = cloud(4, 3).to(dtype)
        solution = solve(config, swirl, x, start, stop)
        _like(solution.state, x)
        for name in ("evaluations", "steps"):
            count = getattr(solution, name)
            require(isinstance(count, Tensor) and count.shape == (4,), f"{name} is {count!r}, expected shape (4,)")
            require(not count.is_floating_point(), f"{name} is {count.dtype}")
        require(torch.equal(solve(config, swirl, x, 0.5, 0.5).state, x), "from 0.5 to 0.5 the state changes")
    if config.stochastic or config.denoises:
        return
    pair = (x, torch.zeros(4, 3, dtype=dtype))
    field = lambda t, x, rows: (swirl(t, x[0]), torch.full_like(x[1], -2 * DECAY))  # noqa: E731
    got = solve(config, field, pair, 0.0, 1.0).state
    require(isinstance(got, tuple) and len(got) == 2, f"a tuple of two comes back as {type(got).__name__}")
    _like(got[0], pair[0])
    _like(got[1], pair[1])
    require(torch.allclose(got[0], swirled(x, 0.0, 1.0), atol=0.1), "in a tuple the first part is solved wrongly")
    require(torch.allclose(got[1], got[1].new_tensor(-2 * DECAY)), "in a tuple the second part is solved wrongly")


def check_rows(config: Any) -> None:
    """With equal steps a row depends on itself alone; `field(t, x, rows)` is told which rows x holds."""
    together, alone = _with_and_without(config, partial(by_steps, config, steps=20))
    require(torch.allclose(together, alone, rtol=1e-9, atol=ROUNDING), "a row alone ends elsewhere than among others")


@only(lambda config: config.adaptive)
def check_own_error(config: Any) -> None:
    """Under control of the error a row depends on itself alone: each has steps of its own."""
    together, alone = _with_and_without(config, partial(solve, config))
    require(torch.allclose(together, alone, rtol=1e-9, atol=ROUNDING), "a row alone ends elsewhere than among others")


def check_calls(config: Any) -> None:
    """The field is asked as `field(t, x, rows)` within the interval, and `evaluations` and `steps` count truthfully."""
    for dtype in (torch.float32, torch.float64):
        for t0, t1 in ways(config):
            for options in ({}, {"steps": 5}):
                field = Tally(swirl, 6)
                if options and config.adaptive:
                    solution = by_steps(config, field, cloud(6).to(dtype), t0, t1, 5)
                else:
                    solution = solve(config, field, cloud(6).to(dtype), t0, t1, **options)
                require(not field.wrong, "; ".join(dict.fromkeys(field.wrong)))
                require(
                    -1e-6 <= min(field.times) <= max(field.times) <= 1 + 1e-6, "it is asked outside of the interval"
                )
                asked, said = field.counts.tolist(), solution.evaluations.tolist()
                require(asked == said, f"rows were evaluated {asked} times, evaluations are {said}")
                steps = solution.steps.tolist()
                right = set(steps) == {5} if options else all(1 <= n <= m for n, m in zip(steps, said, strict=True))
                require(right, f"with {_shown(options)} steps are {steps}")


@only(lambda config: not (config.denoises and config.stochastic))
def check_gradient(config: Any) -> None:
    """With equal steps, gradients flow through the solution to the state and to the field."""
    x = cloud(3).requires_grad_()
    scale = torch.tensor(0.8, dtype=torch.float64, requires_grad=True)

    def total(x: Tensor, scale: Tensor) -> Tensor:
        return by_steps(config, lambda t, x, rows: scale * swirl(t, x), x, *ways(config)[0], 4).state.sum()

    result = total(x, scale)
    require(result.requires_grad, "the solution is cut off from its inputs")
    to_x, to_scale = torch.autograd.grad(result, (x, scale))
    h = 1e-5
    with torch.no_grad():
        by_scale = (total(x, scale + h) - total(x, scale - h)) / (2 * h)
        by_x = (total(x + h, scale) - total(x - h, scale)) / (2 * h)
    require(torch.allclose(to_scale, by_scale, rtol=1e-5), f"to the field it is {to_scale:.6g}, not {by_scale:.6g}")
    require(torch.allclose(to_x.sum(), by_x, rtol=1e-5), f"to the state it is {to_x.sum():.6g}, not {by_x:.6g}")


def check_refusals(config: Any) -> None:
    """What cannot work, and what would have no effect, raises ConfigError: check `steps`, `rtol` and `atol`."""
    wrong: list[dict[str, Any]] = [{"steps": value} for value in (0, -3, 2.5, "fast")]
    if not config.stochastic:
        wrong += [{"rtol": -1.0}] if config.adaptive else [{"rtol": 1e-3}, {"atol": 1e-3}]
    if not config.adaptive:
        wrong.append({"steps": "adaptive"})
    for options in wrong:
        try:
            solve(config, swirl, cloud(2), *ways(config)[0], **options)
        except ConfigError:
            continue
        except Exception as error:
            raise AssertionError(f"{_shown(options)} raises {type(error).__name__}") from error
        raise AssertionError(f"{_shown(options)} is accepted")


def check_not_finite(config: Any) -> None:
    """A field that is not finite, in one row even, raises IntegrationError."""
    for bad in (math.nan, math.inf):
        offset = torch.tensor([[0.0], [bad], [0.0]], dtype=torch.float64)

        def field(t: Tensor, x: Tensor, rows: Tensor | None, offset: Tensor = offset) -> Tensor:
            return x + (offset if rows is None else offset[rows])

        try:
            state = solve(config, field, cloud(3), *ways(config)[0]).state
        except IntegrationError:
            continue
        raise AssertionError(f"a field of {bad} gives {state[1].tolist()}")


@only(lambda config: config.adaptive and not config.stochastic)
def check_tolerance(config: Any) -> None:
    """The error of an adaptive method falls with `rtol` and `atol`, and stays near them."""
    x = cloud(20)
    for t0, t1 in ways(config):
        errors = []
        for tolerance in (1e-3, 1e-5, 1e-7):
            got = solve(config, swirl, x, t0, t1, rtol=tolerance, atol=tolerance).state
            errors.append(float((got - swirled(x, t0, t1)).abs().max()))
            require(errors[-1] < 200 * tolerance, f"at {tolerance:.0e} the error is {errors[-1]:.1e}")
        require(errors[-1] < max(0.05 * errors[0], 1e-9), f"it goes from {errors[0]:.1e} to {errors[-1]:.1e}")


@only(lambda config: config.denoises)
def check_known_draws(config: Any) -> None:
    """From noise, guided by the exact guesses for a normal distribution, draws have its mean and deviation."""
    mean, deviation, count = 0.7, 0.4, 4_000
    generator = generator_for(3)

    def noise() -> Tensor:
        return torch.randn((2, count), dtype=torch.float64, generator=generator)

    def denoiser(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
        t = wide(t, x)
        gain = (1 - t) * deviation**2 / ((1 - t).square() * deviation**2 + t.square())
        return mean + gain * (x - (1 - t) * mean)

    draws = config.integrate(denoiser, noise(), 1.0, 0.0, noise=noise).state
    error = LARGE * deviation / math.sqrt(2 * count)
    require(abs(float(draws.mean()) - mean) < error + 0.02 * deviation, f"the mean is {float(draws.mean()):.3f}")
    found = float(draws.std())
    require(abs(found / deviation - 1) < 0.05 + LARGE / math.sqrt(4 * count), f"the deviation is {found:.3f}, not 0.4")


def _shown(options: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in options.items()) or "the usual options"


def _like(got: Any, x: Tensor) -> None:
    found = (tuple(got.shape), got.dtype) if isinstance(got, Tensor) else type(got).__name__
    require(found == (tuple(x.shape), x.dtype), f"a state {(tuple(x.shape), x.dtype)} comes back as {found}")


def _with_and_without(config: Any, run: Any) -> tuple[Tensor, Tensor]:
    """The last of five rows of different speeds: solved with the others, and alone."""
    x, speeds = cloud(5), torch.tensor([5.0, 0.1, 2.0, 0.5, 1.0], dtype=torch.float64)
    t0, t1 = ways(config)[0]
    if config.denoises:
        speeds = speeds / 10

    def field(chosen: Tensor) -> Any:
        return lambda t, x, rows: wide(chosen if rows is None else chosen[rows], x) * swirl(t, x)

    together = run(field(speeds), x, t0, t1).state
    return together[4:], run(field(speeds[4:]), x[4:], t0, t1).state


CHECKS = (
    check_methods,
    check_order,
    check_constant,
    check_return,
    check_states,
    check_rows,
    check_own_error,
    check_calls,
    check_gradient,
    check_refusals,
    check_not_finite,
    check_tolerance,
    check_known_draws,
)
