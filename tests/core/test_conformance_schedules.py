"""The checks of noise schedules pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import pytest
import torch

from sbicore.config import NoiseScheduleConfig, frozen
from sbicore.testing import check_component


class Cosine:
    """Variance preserving, arXiv:2102.09672 as in arXiv:2303.00848, between log ratios of -12 and 12."""

    variance_preserving = True

    def __init__(self):
        self.first, self.last = (2 / math.pi * math.atan(math.exp(-level / 2)) for level in (12, -12))
        self.span = self.last - self.first

    def angle(self, t):
        return 0.5 * math.pi * (self.first + self.span * t)

    def log_snr(self, t, *, training=False):
        return -2 * self.angle(t).tan().log()

    def t_from_log_snr(self, log_snr, *, training=False):
        return (2 / math.pi * torch.exp(-log_snr / 2).atan() - self.first) / self.span

    def derivative(self, t, *, training=False):
        return -2 * math.pi * self.span / (2 * self.angle(t)).sin()

    def alpha_sigma(self, log_snr):
        return log_snr.sigmoid().sqrt(), (-log_snr).sigmoid().sqrt()

    def loss_weight(self, log_snr):
        return torch.ones_like(log_snr)


class Edm:
    """Variance exploding, with another law in training than in sampling: arXiv:2206.00364, table 1."""

    variance_preserving = False
    low, high, rho = 0.002, 80.0, 7.0

    def __init__(self):
        self.start, self.stop = self.low ** (1 / self.rho), self.high ** (1 / self.rho)

    def root(self, t):
        return self.start + (self.stop - self.start) * t

    def log_snr(self, t, *, training=False):
        if training:
            return 2.4 + 2.4 * math.sqrt(2) * torch.erfinv(1 - 2 * t)
        return -2 * self.rho * self.root(t).log()

    def t_from_log_snr(self, log_snr, *, training=False):
        if training:
            return 0.5 * (1 - torch.erf((log_snr - 2.4) / (2.4 * math.sqrt(2))))
        return (torch.exp(-log_snr / (2 * self.rho)) - self.start) / (self.stop - self.start)

    def derivative(self, t, *, training=False):
        if training:
            return -2.4 * math.sqrt(2 * math.pi) * torch.erfinv(1 - 2 * t).square().exp()
        return -2 * self.rho * (self.stop - self.start) / self.root(t)

    def alpha_sigma(self, log_snr):
        return torch.ones_like(log_snr), torch.exp(-log_snr / 2)

    def loss_weight(self, log_snr):
        return 1 + torch.exp(-log_snr) / 0.25


@frozen(kw_only=True)
class Toy(NoiseScheduleConfig):
    """A schedule."""

    name: ClassVar[str] = "toy"
    schedule: ClassVar[Any] = Cosine

    def build(self):
        return self.schedule()


def with_schedule(schedule):
    return frozen(kw_only=True)(type("Toy", (Toy,), {"schedule": schedule, "__doc__": "A schedule."}))()


@pytest.mark.parametrize("schedule", [Cosine, Edm])
def test_sound_ones_pass(schedule):
    check_component(with_schedule(schedule))


def mutant(base, **members):
    return with_schedule(type("Mutant", (base,), members))


def plus(method, extra):
    """The method of a schedule with something added to what it returns."""
    return lambda self, x, **law: method(self, x, **law) + extra(x)


class NoDerivative:
    variance_preserving = True
    log_snr = t_from_log_snr = alpha_sigma = loss_weight = None


class RootOfTheRest(Cosine):
    def alpha_sigma(self, log_snr):
        alpha = log_snr.sigmoid().sqrt()
        return alpha, (1 - alpha.square()).sqrt()


class Swapped(Cosine):
    def alpha_sigma(self, log_snr):
        return super().alpha_sigma(log_snr)[::-1]


class Negative(Cosine):
    def alpha_sigma(self, log_snr):
        alpha, sigma = super().alpha_sigma(log_snr)
        return -alpha, -sigma


class OneLaw(Edm):
    def t_from_log_snr(self, log_snr, *, training=False):
        return super().t_from_log_snr(log_snr)


class OneSlope(Edm):
    def derivative(self, t, *, training=False):
        return super().derivative(t)


class Clipped(Cosine):
    def log_snr(self, t, *, training=False):
        return super().log_snr(t).clamp(-8, 8)


class Untruncated(Cosine):
    def __init__(self):
        self.first, self.last, self.span = 0.0, 1.0, 1.0


class OnTheCpu(Cosine):
    def loss_weight(self, log_snr):
        return torch.ones(log_snr.shape, dtype=log_snr.dtype)


class Looks(Cosine):
    def log_snr(self, t, *, training=False):
        return super().log_snr(t) + 0 * t.max().item()


def total(self, x, **law):
    return Cosine.log_snr(self, x).sum()


BROKEN = {
    "a method is missing": (with_schedule(NoDerivative), "check_methods", "NoDerivative has no derivative"),
    "not a bool": (mutant(Cosine, variance_preserving=None), "check_methods", "variance_preserving is None"),
    "wrong shape": (
        mutant(Cosine, log_snr=total),
        "check_shape",
        r"log_snr in sampling: expected shape \(7,\), got \(\)",
    ),
    "float64 only": (
        mutant(Cosine, loss_weight=lambda self, x: torch.ones_like(x).double()),
        "check_shape",
        "loss_weight: torch.float32 gives torch.float64",
    ),
    "tensor made on the cpu": (with_schedule(OnTheCpu), "check_device", "loss_weight: numbers on meta give cpu"),
    "looks at values": (with_schedule(Looks), "check_device", "log_snr in sampling: on the device meta"),
    "rises": (mutant(Cosine, log_snr=lambda self, t, **law: -Cosine.log_snr(self, t)), "check_decreasing", "not fall"),
    "a bump": (
        mutant(Cosine, log_snr=plus(Cosine.log_snr, lambda t: torch.exp(-((t - 0.5) ** 2) * 1e4))),
        "check_decreasing",
        "in sampling it does not fall at t = 0.4",
    ),
    "flat at the ends": (with_schedule(Clipped), "check_decreasing", "does not fall at t = 0.0"),
    "infinite at the ends": (with_schedule(Untruncated), "check_decreasing", "is not finite at t = 0$"),
    "another inverse": (
        mutant(Cosine, t_from_log_snr=plus(Cosine.t_from_log_snr, lambda x: 1e-3)),
        "check_inverse",
        "in sampling t = 0 comes back off by 0.001",
    ),
    "inverse of one law": (with_schedule(OneLaw), "check_inverse", "in training"),
    "derivative of one law": (with_schedule(OneSlope), "check_derivative", "in training"),
    "sign of the derivative": (
        mutant(Cosine, derivative=lambda self, t, **law: -Cosine.derivative(self, t)),
        "check_derivative",
        "autograd finds -",
    ),
    "derivative without its factor": (
        mutant(Cosine, derivative=lambda self, t, **law: 0.5 * Cosine.derivative(self, t)),
        "check_derivative",
        "in sampling at t",
    ),
    "scales swapped": (with_schedule(Swapped), "check_scales", "in torch.float64 log_snr = .* comes back as -"),
    "negative scale": (with_schedule(Negative), "check_scales", "a scale is not positive at log_snr = 1"),
    "sigma from alpha": (with_schedule(RootOfTheRest), "check_scales", "in torch.float32 log_snr"),
    "not preserving": (mutant(Edm, variance_preserving=True), "check_variance", "at log_snr"),
    "preserving, unsaid": (mutant(Cosine, variance_preserving=False), "check_variance", "does not say so"),
    "negative weight": (
        mutant(Cosine, loss_weight=lambda self, x: x),
        "check_weight",
        "in torch.float64 at log_snr = -",
    ),
    "weight not finite": (
        mutant(Cosine, loss_weight=lambda self, x: (8 * x).exp()),
        "check_weight",
        "float32 .* is inf",
    ),
    "no weight": (mutant(Cosine, loss_weight=lambda self, x: 0 * x), "check_weight", "zero throughout"),
}


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found
