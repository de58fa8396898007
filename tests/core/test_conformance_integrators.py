"""The checks of integrators pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import attrs
import pytest
import torch

import sbicore
from sbicore.config import IntegratorConfig, frozen
from sbicore.errors import ConfigError, IntegrationError
from sbicore.integrators import Dopri5, EDMHeun
from sbicore.testing import check_component


@attrs.define
class Solution:
    state: Any
    evaluations: Any
    steps: Any


class Heun:
    """Equal steps of Heun's method; broken ones differ in one thing."""

    order = 2
    shift, weights, per_step = 1.0, (0.5, 0.5), 2

    def integrate(self, field, x, t0, t1, *, steps=None, rtol=None, atol=None):
        count = self.checked(steps, rtol, atol)
        single = isinstance(x, torch.Tensor)
        parts = (x,) if single else x
        done = count if t0 != t1 else 0
        for i in range(done):
            t, h = t0 + (t1 - t0) * (i / count), self.step(t0, t1, count)

            def slopes(t, parts):
                time = torch.full((1,), t, dtype=x.dtype if single else x[0].dtype)
                found = field(time, parts[0] if single else parts, None)
                return (found,) if single else found

            one = slopes(t, parts)
            ahead = tuple(part + h * slope for part, slope in zip(parts, one, strict=True))
            two = slopes(t + self.shift * h, ahead)
            a, b = self.weights
            parts = tuple(part + h * (a * s + b * r) for part, s, r in zip(parts, one, two, strict=True))
        self.finish(parts)
        return self.solution(parts[0] if single else parts, len(parts[0]), done)

    def checked(self, steps, rtol, atol):
        if rtol is not None or atol is not None:
            raise ConfigError("no control")
        count = 20 if steps is None else steps
        if not isinstance(count, int) or count < 1:
            raise ConfigError("steps must be a whole number >= 1")
        return count

    def step(self, t0, t1, count):
        return (t1 - t0) / count

    def finish(self, parts):
        if not all(part.isfinite().all() for part in parts):
            raise IntegrationError("not finite")

    def solution(self, state, rows, steps):
        return Solution(state, torch.full((rows,), self.per_step * steps), torch.full((rows,), steps))


@frozen(kw_only=True)
class Toy(IntegratorConfig):
    """An integrator."""

    name: ClassVar[str] = "toy"
    order: ClassVar[float] = 2
    method: ClassVar[Any] = Heun

    def build(self):
        return self.method()


def config_of(method, **facts):
    facts = {"order": method.order, **facts, "method": method, "__doc__": "An integrator."}
    return frozen(kw_only=True)(type("Toy", (Toy,), facts))()


def mutant(base=Heun, order=None, **members):
    members |= {} if order is None else {"order": order}
    return config_of(type("Mutant", (base,), members))


def adaptive(method):
    return config_of(method, adaptive=True)


def outside(self, field, x, t0, t1, **options):
    """Asks the field for one time too many, beyond the end."""
    field(torch.full((1,), t1 + (t1 - t0) / 10, dtype=torch.float64).to(x), x, None)
    solution = Heun.integrate(self, field, x, t0, t1, **options)
    solution.evaluations += 1
    return solution


def mixed(self, field, x, t0, t1, **options):
    return Heun.integrate(self, lambda t, x, rows: field(t, x, rows) + 1e-6 * x.mean(0), x, t0, t1, **options)


def in_float32(self, field, x, t0, t1, **options):
    solution = Heun.integrate(self, field, x, t0, t1, **options)
    solution.state = solution.state.float() if isinstance(x, torch.Tensor) else solution.state
    return solution


def first_part_alone(self, field, x, t0, t1, **options):
    solution = Heun.integrate(self, field, x, t0, t1, **options)
    solution.state = solution.state if isinstance(x, torch.Tensor) else (solution.state[0], x[1])
    return solution


def cut_off(self, *args, **options):
    with torch.no_grad():
        return Heun.integrate(self, *args, **options)


def half_cut_off(self, field, x, t0, t1, **options):
    return Heun.integrate(self, lambda t, x, rows: field(t, x.detach(), rows), x, t0, t1, **options)


def as_a_list(self, field, x, t0, t1, **options):
    solution = Heun.integrate(self, field, x, t0, t1, **options)
    solution.state = solution.state if isinstance(x, torch.Tensor) else [*solution.state]
    return solution


def second_part_alone(self, field, x, t0, t1, **options):
    solution = Heun.integrate(self, field, x, t0, t1, **options)
    solution.state = solution.state if isinstance(x, torch.Tensor) else (x[0] + 1, solution.state[1])
    return solution


def never_still(self, field, x, t0, t1, **options):
    return Heun.integrate(self, field, x + 1e-3 if t0 == t1 else x, t0, t1, **options)


def half_a_gradient(self, field, x, t0, t1, **options):
    return Heun.integrate(self, field, x.detach() + 0.5 * (x - x.detach()), t0, t1, **options)


def scalar_time(self, field, x, t0, t1, **options):
    return Heun.integrate(self, lambda t, x, rows: field(t[0], x, rows), x, t0, t1, **options)


def time_in_float64(self, field, x, t0, t1, **options):
    return Heun.integrate(self, lambda t, x, rows: field(t.double(), x, rows).to(x), x, t0, t1, **options)


class Careless(Heun):
    """Claims to control its error, and does not."""

    def checked(self, steps, rtol, atol):
        if isinstance(steps, int) or any(value is not None and value <= 0 for value in (rtol, atol)):
            return super().checked(steps, None, None)
        if steps not in {None, "adaptive"}:
            raise ConfigError("steps")
        return 20


class OneTolerance(Careless):
    """As accurate as can be, whatever is asked."""

    def integrate(self, field, x, t0, t1, *, steps=None, rtol=None, atol=None):
        return sbicore.integrators.Dopri5().integrate(field, x, t0, t1, rtol=1e-7, atol=1e-7)


def counted(state, rows, steps):
    return Solution(state, torch.full((rows,), steps), torch.full((rows,), steps))


BROKEN = {
    "no method": (config_of(type("Mutant", (), {"order": 2})), "check_methods", "Mutant has no integrate"),
    "two orders": (config_of(Heun, order=3), "check_methods", "the config says 3, the integrator 2"),
    "order below": (mutant(order=3), "check_order", r"from 0 to 1 it is 2\.0\d, declared is 3"),
    "order above": (mutant(order=1), "check_order", r"from 0 to 1 it is 2\.0\d, declared is 1"),
    "second stage too early": (mutant(shift=0.5), "check_order", r"it is (1|0)\.\d*, declared is 2"),
    "backwards like forwards": (
        mutant(step=lambda self, t0, t1, count: abs(t1 - t0) / count),
        "check_order",
        "from 1 to 0 it is -?0",
    ),
    "weights do not add up": (mutant(weights=(0.5, 0.4999)), "check_constant", r"from 0 to 1 .* error is 1\.\de-04"),
    "no way back": (
        mutant(step=lambda self, t0, t1, count: abs(t1 - t0) / count),
        "check_return",
        "it misses by",
    ),
    "another dtype": (mutant(integrate=in_float32), "check_states", "comes back as .*float32"),
    "one part of two": (mutant(integrate=first_part_alone), "check_states", "second part is solved wrongly"),
    "list for a tuple": (mutant(integrate=as_a_list), "check_states", "a tuple of two comes back as list"),
    "other part of two": (mutant(integrate=second_part_alone), "check_states", "first part is solved wrongly"),
    "moves in no time": (mutant(integrate=never_still), "check_states", "from 0.5 to 0.5 the state changes"),
    "counts are no whole numbers": (
        mutant(
            solution=lambda self, state, rows, n: Solution(state, torch.full((rows,), 2.0 * n), torch.full((rows,), n))
        ),
        "check_states",
        "evaluations is torch.float32",
    ),
    "counts for all rows": (
        mutant(solution=lambda self, state, rows, steps: Solution(state, 2 * steps, steps)),
        "check_states",
        r"evaluations is 100, expected shape \(4,\)",
    ),
    "rows mixed": (mutant(integrate=mixed), "check_rows", "a row alone ends elsewhere"),
    "one step size for all": (Dopri5(control="batch"), "check_own_error", "a row alone ends elsewhere"),
    "evaluations miscounted": (
        mutant(solution=lambda self, *given: counted(*given)),
        "check_calls",
        r"were evaluated \[100, .* evaluations are \[50",
    ),
    "steps misreported": (
        mutant(
            solution=lambda self, state, rows, n: Solution(
                state, torch.full((rows,), 2 * n), torch.full((rows,), n + 1)
            )
        ),
        "check_calls",
        "with steps=5 steps are .6, 6",
    ),
    "time without an axis": (
        mutant(integrate=scalar_time),
        "check_calls",
        r"t has shape \(\), expected \(1,\) or \(6, 1\)",
    ),
    "time of another dtype": (
        mutant(integrate=time_in_float64),
        "check_calls",
        "t is torch.float64 on cpu, the state torch.f",
    ),
    "outside of the interval": (mutant(integrate=outside), "check_calls", "outside of the interval"),
    "no gradient": (mutant(integrate=cut_off), "check_gradient", "cut off"),
    "wrong gradient": (mutant(integrate=half_cut_off), "check_gradient", "to the .* it is"),
    "half a gradient": (mutant(integrate=half_a_gradient), "check_gradient", "to the state it is"),
    "takes any steps": (
        mutant(checked=lambda self, steps, *rest: int(steps or 20)),
        "check_refusals",
        "steps=0 is accepted",
    ),
    "another error": (
        mutant(checked=lambda self, steps, *rest: int(math.log(steps or 20))),
        "check_refusals",
        "steps=.* (raises ValueError|is accepted)",
    ),
    "ignores tolerances": (
        mutant(checked=lambda self, steps, rtol, atol: Heun.checked(self, steps, None, None)),
        "check_refusals",
        "rtol=0.001 is accepted",
    ),
    "silent about nan": (mutant(finish=lambda self, parts: None), "check_not_finite", r"a field of nan gives \[nan"),
    "tolerance without effect": (adaptive(Careless), "check_tolerance", "at 1e-0[57] the error is"),
    "one tolerance": (adaptive(OneTolerance), "check_tolerance", "it goes from .*e-0. to .*e-0."),
}


def test_a_sound_one_passes():
    check_component(config_of(Heun))


def test_joint_control_is_an_expected_failure():
    expected = {"check_own_error": "one step size serves the whole batch"}
    report = check_component(Dopri5(control="batch"), expected_failures=expected, on_failure="report")
    assert {result.check: result.status for result in report.results}["check_own_error"] == "expected"


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_an_adaptive_method_need_not_take_equal_steps(verdict):
    class Bosh3(Careless):
        order = 3

        def integrate(self, *args, steps=None, **options):
            if steps is not None and steps != "adaptive":
                raise ConfigError("equal steps are not for me")
            return sbicore.integrators.Bosh3().integrate(*args, **options)

    config = adaptive(Bosh3)
    result = verdict(config, "check_order")
    assert (result.status, result.found) == (
        "skipped",
        "an adaptive method that takes no equal steps: equal steps are not for me",
    )
    check_component(config)


@pytest.mark.parametrize(
    ("change", "found"), [(lambda guess: 0.9 * guess, "the mean is"), (lambda guess: guess + 0.3, "the mean is")]
)
def test_wrong_use_of_the_guess_is_caught(change, found):
    """By "check_known_draws", of methods that denoise."""

    @frozen(kw_only=True)
    class Wrong(EDMHeun):
        """Heun's method of a guess that is changed on its way."""

        def march(self, denoise, x, sigmas, noise):
            return EDMHeun.march(self, lambda sigma, x: change(denoise(sigma, x)), x, sigmas, noise)

    report = check_component(Wrong(), on_failure="report")
    results = {result.check: result for result in report.results}
    assert found in results["check_known_draws"].found
