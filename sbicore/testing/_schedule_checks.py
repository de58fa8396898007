"""What is asked of noise schedules."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ..protocols import NoiseSchedule
from ._check import require, require_protocol

LEADS = ((), (7,), (3, 7))
LAWS = (False, True)


def times(training: bool) -> Tensor:
    """Times in rising order, dense near both ends; samplers start from the ends themselves."""
    near = torch.logspace(-4, -2, 20, dtype=torch.float64)
    inner = torch.cat([near, torch.linspace(0.011, 0.989, 500, dtype=torch.float64), 1 - near.flip(0)])
    return inner if training else torch.cat([inner.new_zeros(1), inner, inner.new_ones(1)])


def levels(schedule: Any) -> Tensor:
    """Log signal-to-noise ratios that either law meets."""
    return torch.cat([schedule.log_snr(times(training), training=training) for training in LAWS]).detach()


def law(training: bool) -> str:
    """How a law is called."""
    return "in training" if training else "in sampling"


def functions(schedule: Any) -> dict[str, Callable[[Tensor], Tensor]]:
    """Everything that maps `(*) -> (*)`, by what is called."""
    found: dict[str, Callable[[Tensor], Tensor]] = {
        "alpha": lambda level: schedule.alpha_sigma(level)[0],
        "sigma": lambda level: schedule.alpha_sigma(level)[1],
        "loss_weight": schedule.loss_weight,
    }
    for name in ("log_snr", "derivative", "t_from_log_snr"):
        for training in LAWS:
            found[f"{name} {law(training)}"] = partial(getattr(schedule, name), training=training)
    return found


def check_methods(config: Any) -> None:
    """The schedule has all that `sbicore.protocols.NoiseSchedule` names; `variance_preserving` is True or False."""
    schedule = config.build()
    require_protocol(schedule, NoiseSchedule)
    found = schedule.variance_preserving
    require(isinstance(found, bool), f"variance_preserving is {found!r}")


def check_shape(config: Any) -> None:
    """Every function gives one number for each it is given, in float32 and float64."""
    for name, function in functions(config.build()).items():
        for lead in LEADS:
            for dtype in (torch.float32, torch.float64):
                got = function(torch.full(lead, 0.4, dtype=dtype))
                require(got.shape == lead, f"{name}: expected shape {lead}, got {tuple(got.shape)}")
                require(got.dtype == dtype, f"{name}: {dtype} gives {got.dtype}")


def check_device(config: Any) -> None:
    """Numbers stay on their device: make tensors with `device=t.device`, and never call `item()`."""
    schedule = config.build()
    schedule = schedule.to("meta") if hasattr(schedule, "to") else schedule
    for name, function in functions(schedule).items():
        try:
            got = function(torch.full((7,), 0.4, device="meta"))
        except (RuntimeError, NotImplementedError) as error:
            raise AssertionError(f"{name}: on the device meta: {error}") from error
        require(got.device.type == "meta", f"{name}: numbers on meta give {got.device}")


def check_decreasing(config: Any) -> None:
    """`log_snr` falls strictly from t = 0 to t = 1 and is finite: at both ends too, save with training=True."""
    schedule = config.build()
    for training in LAWS:
        t = times(training)
        found = schedule.log_snr(t, training=training)
        require(found.isfinite().all(), f"{law(training)} it is not finite at t = {_first(t, ~found.isfinite())}")
        rises = found.diff() >= 0
        require(not rises.any(), f"{law(training)} it does not fall at t = {_first(t[1:], rises)}")


def check_inverse(config: Any) -> None:
    """`t_from_log_snr` gives back the time that `log_snr` was given."""
    schedule = config.build()
    for training in LAWS:
        t = times(training)
        gap = (schedule.t_from_log_snr(schedule.log_snr(t, training=training), training=training) - t).abs()
        wrong = ~(gap < 1e-6)
        require(not wrong.any(), f"{law(training)} t = {_first(t, wrong)} comes back off by {_first(gap, wrong)}")


def check_derivative(config: Any) -> None:
    """`derivative` is what autograd finds for `log_snr`: differentiate it by hand, or call autograd."""
    schedule = config.build()
    for training in LAWS:
        t = times(True).requires_grad_()
        (exact,) = torch.autograd.grad(schedule.log_snr(t, training=training).sum(), t)
        found = schedule.derivative(t.detach(), training=training)
        wrong = ~torch.isclose(found, exact, rtol=1e-5, atol=1e-8)
        at, got, expected = (_first(values, wrong) for values in (t, found, exact))
        require(not wrong.any(), f"{law(training)} at t = {at} it is {got}, autograd finds {expected}")


def check_scales(config: Any) -> None:
    """`log_snr = 2 log(alpha / sigma)`, in float32 too: take sigma from `sigmoid(-log_snr)`, not from 1 - alpha²."""
    schedule = config.build()
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 1e-4)):
        level = levels(schedule).to(dtype)
        alpha, sigma = schedule.alpha_sigma(level)
        wrong = ~((alpha > 0) & (sigma > 0))
        require(not wrong.any(), f"in {dtype} a scale is not positive at log_snr = {_first(level, wrong)}")
        back = 2 * (alpha.log() - sigma.log())
        wrong = ~((back - level).abs() <= tolerance * (1 + level.abs()))
        require(not wrong.any(), f"in {dtype} log_snr = {_first(level, wrong)} comes back as {_first(back, wrong)}")


def check_variance(config: Any) -> None:
    """A schedule that says `variance_preserving` has alpha² + sigma² = 1."""
    schedule = config.build()
    level = levels(schedule)
    alpha, sigma = schedule.alpha_sigma(level)
    total = alpha.square() + sigma.square()
    wrong = ~((total - 1).abs() < 1e-9)
    if schedule.variance_preserving:
        require(not wrong.any(), f"at log_snr = {_first(level, wrong)} it is {_first(total, wrong)}")
    else:
        require(wrong.any(), "it has, but does not say so: variance_preserving is False")


def check_weight(config: Any) -> None:
    """`loss_weight` is finite and not negative at every noise level, and not always zero."""
    schedule = config.build()
    for dtype in (torch.float64, torch.float32):
        level = levels(schedule).to(dtype)
        weight = schedule.loss_weight(level)
        wrong = ~(weight.isfinite() & (weight >= 0))
        require(not wrong.any(), f"in {dtype} at log_snr = {_first(level, wrong)} it is {_first(weight, wrong)}")
        require(weight.any(), "it is zero throughout")


def _first(values: Tensor, where: Tensor) -> str:
    """The first of these values where something holds, as text."""
    chosen = values.detach()[where]
    return f"{float(chosen[0]):.6g}" if len(chosen) else "none"


CHECKS = (
    check_methods,
    check_shape,
    check_device,
    check_decreasing,
    check_inverse,
    check_derivative,
    check_scales,
    check_variance,
    check_weight,
)
