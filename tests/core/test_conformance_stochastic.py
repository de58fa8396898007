"""The checks of stochastic integrators pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import attrs
import pytest
import torch

from sbicore.config import IntegratorConfig, frozen
from sbicore.errors import ConfigError, IntegrationError
from sbicore.randomness import generator_for
from sbicore.testing import check_component


@attrs.define
class Solution:
    state: Any
    evaluations: Any
    steps: Any


@frozen(kw_only=True)
class Toy(IntegratorConfig):
    """An integrator."""

    name: ClassVar[str] = "toy"
    stochastic: ClassVar[bool] = True
    method: ClassVar[Any] = None

    def build(self):
        return self.method()


class EulerMaruyama:
    """Strong order 1 for additive noise."""

    order = 1.0
    per_step = 1

    def integrate(self, field, x, t0, t1, *, diffusion, brownian, steps=None):
        count = 20 if steps is None else steps
        if not isinstance(count, int) or count < 1:
            raise ConfigError("steps must be a whole number >= 1")
        rows, done = len(x), count if t0 != t1 else 0
        for i in range(done):
            t, then = (t0 + (t1 - t0) * (j / count) for j in (i, i + 1))
            x = self.step(field, x, t, then - t, diffusion, *self.noise(brownian, t, then))
        if not x.isfinite().all():
            raise IntegrationError("not finite")
        return Solution(x, torch.full((rows,), self.per_step * done), torch.full((rows,), done))

    def noise(self, brownian, t, then):
        return brownian(t, then)

    def step(self, field, x, t, h, diffusion, w, area):
        t = torch.full((1,), t, dtype=x.dtype)
        return x + h * field(t, x, None) + diffusion(t) * w


class Shark(EulerMaruyama):
    """Strong order 1.5 for additive noise, arXiv:2210.17543."""

    order = 1.5
    per_step = 2

    def step(self, field, x, t, h, diffusion, w, area):
        t, later = (torch.full((1,), time, dtype=x.dtype) for time in (t, t + 5 / 6 * h))
        y = x + diffusion(t) * area
        first = field(t, y, None)
        z = y + 5 / 6 * (h * first + diffusion(t) * w)
        drift = 0.4 * first + 0.6 * field(later, z, None)
        noise = diffusion(t) * (0.4 * w + 1.2 * area) + diffusion(later) * (0.6 * w - 1.2 * area)
        return x + h * drift + noise


def config_of(method, adaptive=False, **members):
    facts = {"order": members.pop("order", method.order), "adaptive": adaptive, "__doc__": "An integrator."}
    mutant = type("Mutant", (method,), {**members, "order": facts["order"]})
    return frozen(kw_only=True)(type("Toy", (Toy,), {**facts, "method": mutant}))()


def small_noise(self, brownian, t, then):
    """The increment times the root of a step that it has already."""
    w, area = brownian(t, then)
    return w * math.sqrt(abs(then - t)), area


def wrong_area(self, brownian, t, then):
    """An area that depends on the increment, and whose own part is a step too small."""
    (w, area), h = brownian(t, then), abs(then - t)
    return w, 0.5 * h**0.5 * w + h * area


def own_noise(self, brownian, t, then):
    w, area = brownian(t, then)
    return torch.randn_like(w) * math.sqrt(abs(then - t)), area


def fixed_noise(self, brownian, t, then):
    w, area = brownian(t, then)
    fresh = torch.randn(w.shape, dtype=w.dtype, generator=generator_for(int(1e6 * t)))
    return fresh * math.sqrt(abs(then - t)), area


def unscaled(self, field, x, t, h, diffusion, w, area):
    return EulerMaruyama.step(self, field, x, t, h, lambda t: torch.ones_like(t), w, area)


def scaled_twice(self, field, x, t, h, diffusion, w, area):
    return EulerMaruyama.step(self, field, x, t, h, lambda t: diffusion(t) ** 2, w, area)


def half_drift(self, field, x, t, h, diffusion, w, area):
    return EulerMaruyama.step(self, lambda *given: 0.8 * field(*given), x, t, h, diffusion, w, area)


class Sloppy(EulerMaruyama):
    """Chooses its steps itself."""

    def integrate(self, *args, steps=None, **options):
        if steps not in {None, "adaptive"}:
            raise ConfigError("equal steps are not for me")
        return super().integrate(*args, steps=200, **options)


def spread_noise(self, brownian, t, then):
    """One row's noise is felt by the others."""
    w, area = brownian(t, then)
    return w + 1e-6 * w.mean(0), area


class Overflows(EulerMaruyama):
    def integrate(self, *args, **options):
        solution = super().integrate(*args, **options)
        solution.state = solution.state / 0
        return solution


BROKEN = {
    "root of the step twice": (config_of(EulerMaruyama, noise=small_noise), "check_strong_order", "it is -?0"),
    "root of the step twice, in law": (config_of(EulerMaruyama, noise=small_noise), "check_moments", "deviation is 0"),
    "wrong area": (
        config_of(Shark, noise=wrong_area),
        "check_strong_order",
        r"it is (1\.0|0\.9)\d*, declared is 1\.5",
    ),
    "no area": (
        config_of(Shark, noise=lambda self, brownian, *times: (brownian(*times)[0], 0.0)),
        "check_strong_order",
        "declared is 1.5",
    ),
    "declared too high": (config_of(EulerMaruyama, order=1.5), "check_strong_order", "declared is 1.5"),
    "declared too low": (config_of(Shark, order=1.0), "check_strong_order", r"it is 1\.5\d, declared is 1$"),
    "noise of its own": (config_of(EulerMaruyama, noise=own_noise), "check_path", "the same path gives another"),
    "noise for ever the same": (
        config_of(EulerMaruyama, noise=fixed_noise),
        "check_path",
        "another path gives the same",
    ),
    "noise of the neighbours": (
        config_of(EulerMaruyama, noise=spread_noise),
        "check_path",
        "a row alone ends elsewhere",
    ),
    "not finite": (config_of(Overflows), "check_path", "the solution is not finite"),
    "adaptive, too little drift": (
        config_of(Sloppy, step=half_drift, adaptive=True),
        "check_noise_free",
        "from 0 to 1 the error is",
    ),
    "not scaled": (config_of(EulerMaruyama, step=unscaled), "check_noise_free", "another path gives another"),
    "not scaled, in law": (config_of(EulerMaruyama, step=unscaled), "check_moments", "deviation is 0"),
    "variance for scale": (config_of(EulerMaruyama, step=scaled_twice), "check_moments", "deviation is 0.3"),
    "too little drift": (config_of(EulerMaruyama, step=half_drift), "check_noise_free", "falls at order"),
}


@pytest.mark.parametrize(
    "config",
    [config_of(EulerMaruyama), config_of(Shark), config_of(Sloppy, adaptive=True)],
    ids=["em", "shark", "adaptive"],
)
def test_sound_ones_pass(config):
    check_component(config)


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found
