"""What solvers refuse, and what they say when they fail."""

from __future__ import annotations

import math

import pytest
import torch

from sbicore.errors import ConfigError, DataError, IntegrationError, ShapeError
from sbicore.integrators import RK4, Bosh3, Dopri5, Dopri8, Euler, Heun, Midpoint, Tsit5

FIXED = (Euler, Midpoint, Heun, RK4)
ADAPTIVE = (Bosh3, Dopri5, Dopri8, Tsit5)
JOINT = (Bosh3, Dopri5, Dopri8)


def each(*methods):
    return pytest.mark.parametrize("method", methods, ids=lambda method: method.name)


def wide(t, x):
    """`t` with as many axes as x, whether it is (1,) or (r, 1)."""
    return t.reshape(-1, *[1] * (x.dim() - 1))


def decay(t, x, rows=None):
    return -x * torch.cos(wide(t, x))


def start():
    return torch.linspace(0.3, 0.6, 6, dtype=torch.float64).reshape(3, 2, 1)


def explode(t, x, rows=None):
    """dx/dt = x**2 leaves the numbers at t = 1 / x, here 0.5 in the second row only."""
    return x**2


@each(*FIXED, *ADAPTIVE)
def test_a_field_that_fails_half_way_is_named_with_time_and_rows(method):
    def field(t, x, rows):
        slope = -x
        index = torch.arange(len(x)) if rows is None else rows
        return torch.where((index == 1)[:, None] & (wide(t, x) > 0.5), torch.nan, slope)

    configs = [(method(), {}), (method(), {"steps": 20})]
    configs += [(method(control="batch"), {})] if method in JOINT else []
    for config, options in configs:
        with pytest.raises(IntegrationError) as caught:
            config.integrate(field, torch.ones(3, 2, dtype=torch.float64), 0.0, 1.0, **options)
        error = caught.value
        assert str(error).count("\n") == 2 and "non-finite" in str(error) and "1 of 3 rows" in str(error)
        assert error.method == method.name and error.rows == (1,)
        earliest = 0.0 if getattr(config, "control", None) == "batch" and not options else 0.45
        assert earliest <= error.t < 0.65, error


@each(*FIXED, *ADAPTIVE)
def test_non_finite_from_the_start(method):
    x = start()
    for field, y in ((lambda t, x, rows: x * torch.inf, x), (decay, x * torch.nan)):
        with pytest.raises(IntegrationError, match=r"non-finite .*\nat t=\S+ in 3 of 3 rows"):
            method().integrate(field, y, 0.0, 1.0)
        if method in JOINT:
            with pytest.raises(IntegrationError, match="non-finite"):
                method(control="batch").integrate(field, y, 0.0, 1.0)


@each(*ADAPTIVE)
def test_a_trial_step_out_of_bounds_is_only_shortened(method):
    def field(t, x, rows):  # not a number for x < 0, which the solution never is
        return -30 * x.sqrt() * x.sqrt()

    x = torch.ones(2, 1, dtype=torch.float64)
    state = method().integrate(field, x, 0.0, 1.0, rtol=1e-4, atol=1e-4).state
    torch.testing.assert_close(state, x * math.exp(-30), rtol=0, atol=1e-3)


@each(*ADAPTIVE)
def test_a_singularity_ends_in_an_error_not_a_loop(method):
    x = torch.tensor([[0.1], [2.0]], dtype=torch.float64)
    for config in (method(),) if method not in JOINT else (method(), method(control="batch")):
        with pytest.raises(IntegrationError, match=r"(?s)(too small|non-finite|spent).*t=0\.[45]") as caught:
            config.integrate(explode, x, 0.0, 1.0)
        assert caught.value.method == method.name


@each(*ADAPTIVE)
def test_a_step_that_underflows(method):
    def field(t, x, rows):  # a step across t = 1/2 has an error of its own size, however short
        return torch.where(wide(t, x) < 0.5, 0.0, 1e20) * torch.ones_like(x)

    for config in (method(),) if method not in JOINT else (method(), method(control="batch")):
        with pytest.raises(IntegrationError, match=r"too small to move the time\nat t=0.5 in 2 of 2 rows"):
            config.integrate(field, torch.zeros(2, 1, dtype=torch.float64), 0.0, 1.0)


@each(*ADAPTIVE)
def test_a_spent_budget(method):
    for config in ({}, {"control": "batch"}) if method in JOINT else ({},):
        calls = []

        def field(t, x, rows, calls=calls):
            calls.append(t)
            return torch.cos(1000 * wide(t, x)) * x

        with pytest.raises(IntegrationError, match=r"spent its budget of 100 evaluations\nat t=0\.\d+ in 3"):
            method(max_evaluations=100, **config).integrate(field, start(), 0.0, 1.0)
        assert len(calls) <= 100
    with pytest.raises(IntegrationError, match="budget of 1 evaluations"):
        method(max_evaluations=1).integrate(decay, start(), 0.0, 1.0)


@each(*FIXED)
def test_fixed_methods_refuse_control(method):
    for options in ({"steps": "adaptive"}, {"rtol": 1e-3}, {"atol": 1e-3}):
        with pytest.raises(ConfigError, match=r"(?s)equal steps.*bosh3, dopri5, dopri8, tsit5"):
            method().integrate(decay, start(), 0.0, 1.0, **options)


@each(*FIXED, *ADAPTIVE)
@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "many", "adaptiv"])
def test_impossible_steps(method, steps):
    with pytest.raises(ConfigError, match="steps"):
        method().integrate(decay, start(), 0.0, 1.0, steps=steps)


@each(*ADAPTIVE)
@pytest.mark.parametrize(
    "options",
    [
        {"rtol": 0.0},
        {"rtol": -1},
        {"rtol": math.nan},
        {"atol": -1e-9},
        {"atol": "x"},
        {"steps": 5, "rtol": 1e-3},
    ],
)
def test_impossible_tolerances(method, options):
    with pytest.raises(ConfigError, match="tol"):
        method().integrate(decay, start(), 0.0, 1.0, **options)
    assert method().integrate(decay, start(), 0.0, 1.0, steps="adaptive", atol=0).steps[0] > 0


@each(Euler, Dopri5)
def test_states_and_fields_of_the_wrong_form(method):
    x = start()
    for state, error in (
        ([x], DataError),
        (x.long(), DataError),
        ((x, x.float()), DataError),
        ((x, x[:2]), ShapeError),
        (x[0, 0, 0], ShapeError),
        ((), DataError),
    ):
        with pytest.raises(error):
            method().integrate(decay, state, 0.0, 1.0)
    for field in (lambda t, x, rows: x[..., 0], lambda t, x, rows: (x,), lambda t, x, rows: None):
        with pytest.raises(ShapeError, match="structure and shapes"):
            method().integrate(field, x, 0.0, 1.0)
    with pytest.raises(ShapeError, match="structure and shapes"):
        method().integrate(lambda t, state, rows: state[0], (x, x), 0.0, 1.0)
    with pytest.raises(ConfigError, match="t1"):
        method().integrate(decay, x, 0.0, math.inf)


@pytest.mark.parametrize(
    "config", [Euler(), Dopri5(), Dopri5(control="batch")], ids=["fixed", "row", "batch"]
)
def test_an_error_of_the_field_is_its_own(config):
    def field(t, x, rows):
        raise AssertionError("max_num_steps: mine")

    with pytest.raises(AssertionError, match="mine"):
        config.integrate(field, start(), 0.0, 1.0)
