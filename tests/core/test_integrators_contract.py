"""Forms of the state, gradients, what configs say, and what solvers refuse or report."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
import torch

from sbicore import integrators
from sbicore.errors import ConfigError, DataError, IntegrationError, ShapeError
from sbicore.integrators import RK4, Bosh3, Dopri5, Dopri8, Euler, Heun, Midpoint, Tsit5

FIXED = (Euler, Midpoint, Heun, RK4)
ADAPTIVE = (Bosh3, Dopri5, Dopri8, Tsit5)
JOINT = (Bosh3, Dopri5, Dopri8)


def each(*methods):
    return pytest.mark.parametrize("method", methods, ids=lambda method: method.name)


both_ways = pytest.mark.parametrize(("t0", "t1"), ((0.0, 2.0), (2.0, 0.0)), ids=["forward", "backward"])


def wide(t, x):
    """`t` with as many axes as x, whether it is (1,) or (r, 1)."""
    return t.reshape(-1, *[1] * (x.dim() - 1))


def bend(t, x, rows=None):
    """dx/dt = -x**2 cos t: nonlinear, with a time of its own; x = 1 / (c + sin t)."""
    return -(x**2) * torch.cos(wide(t, x))


def bent(x, t0, t1):
    return 1 / (1 / x + math.sin(t1) - math.sin(t0))


def start(rows=3, draws=2, dtype=torch.float64):
    return torch.linspace(0.3, 0.6, rows * draws, dtype=dtype).reshape(rows, draws, 1)


# --- forms of the state -------------------------------------------------------------------------


@each(*FIXED, *ADAPTIVE)
@both_ways
def test_tuple_states(method, t0, t1):
    x = start(dtype=torch.float64)

    def field(t, state, rows):
        position, log_det = state
        assert log_det.shape == position.shape[:2]
        return bend(t, position), (-2 * position * torch.cos(wide(t, position))).squeeze(-1)

    configs = [(method(), {"steps": 200})]
    configs += [(method(), {"rtol": 1e-7, "atol": 1e-7})] if method.adaptive else []
    configs += [(method(control="batch"), {"rtol": 1e-7, "atol": 1e-7})] if method in JOINT else []
    for config, options in configs:
        state, log_det = config.integrate(field, (x, torch.zeros_like(x[..., 0])), t0, t1, **options).state
        end = bent(x, t0, t1)
        tolerance = 4e-2 if method is Euler else 1e-4
        torch.testing.assert_close(state, end, rtol=tolerance, atol=0)
        torch.testing.assert_close(log_det, 2 * (end / x).log().squeeze(-1), rtol=0, atol=tolerance)


@each(*FIXED, *ADAPTIVE)
@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 4, 5, 1)])
def test_any_shape_behind_the_rows_and_nothing_to_do(method, shape):
    x = torch.rand(shape, dtype=torch.float64) / 2 + 0.2
    solution = method().integrate(bend_of_shape, x, 0.0, 1.0)
    torch.testing.assert_close(solution.state, bent(x, 0.0, 1.0), rtol=3e-3 if not method.adaptive else 1e-4, atol=0)
    still = method().integrate(bend_of_shape, x, 1.0, 1.0)
    assert still.state is x and still.evaluations.tolist() == [0] * 3
    assert method().integrate(bend_of_shape, x[:0], 0.0, 1.0).state.shape == (0, *shape[1:])


def bend_of_shape(t, x, rows):
    return -(x**2) * torch.cos(wide(t, x) if x.dim() > 1 else t.reshape(-1))


@each(*FIXED, *ADAPTIVE)
def test_gradients_flow_and_inference_mode_works(method):
    rate = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    x = start().requires_grad_()
    for options in ({"steps": 50}, {"rtol": 1e-6, "atol": 1e-6}) if method.adaptive else ({"steps": 400},):
        configs = (method(), method(control="batch")) if method in JOINT else (method(),)
        for config in configs:
            state = config.integrate(lambda t, x, rows: -rate * x, x, 0.0, 1.0, **options).state
            to_x, to_rate = torch.autograd.grad(state.sum(), (x, rate))
            torch.testing.assert_close(to_x, torch.full_like(x, math.exp(-0.5)), rtol=2e-3, atol=0)
            torch.testing.assert_close(to_rate, -x.sum() * math.exp(-0.5), rtol=2e-3, atol=0)
            with torch.inference_mode():
                inner = config.integrate(lambda t, x, rows: -rate * x, x, 0.0, 1.0, **options).state
            torch.testing.assert_close(inner, state)


@each(*FIXED, *ADAPTIVE)
@pytest.mark.parametrize("other", [torch.float64, torch.bfloat16])
def test_the_state_keeps_its_dtype(method, other):
    def field(t, x, rows):
        assert x.dtype == t.dtype == torch.float32
        return bend(t, x).to(other)

    for options in ({"steps": 5}, {"rtol": 1e-2, "atol": 1e-2} if method.adaptive else {}):
        state = method().integrate(field, start(dtype=torch.float32), 0.0, 1.0, **options).state
        assert state.dtype == torch.float32


def test_equal_steps_of_a_pair_wait_for_the_device_only_at_the_end():
    from torch.utils._python_dispatch import TorchDispatchMode

    class Waits(TorchDispatchMode):
        count = 0

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            self.count += func is torch.ops.aten._local_scalar_dense.default
            return func(*args, **(kwargs or {}))

    counts = []
    for steps in (3, 30):
        with Waits() as waits:
            Dopri5().integrate(bend, start(), 0.0, 1.0, steps=steps)
        counts.append(waits.count)
    assert counts[0] == counts[1] <= 2


# --- errors ---------------------------------------------------------------------------------------


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
    for field, y in ((lambda t, x, rows: x * torch.inf, x), (bend, x * torch.nan)):
        with pytest.raises(IntegrationError, match=r"non-finite .*\nat t=\S+ in 3 of 3 rows"):
            method().integrate(field, y, 0.0, 1.0)
        if method in JOINT:
            with pytest.raises(IntegrationError, match="non-finite"):
                method(control="batch").integrate(field, y, 0.0, 1.0)


@each(*FIXED, *ADAPTIVE)
def test_overflow_is_not_returned(method):
    x = torch.tensor([[1.0], [3.38e38]])
    for options in ({}, {"steps": 9}):
        with pytest.raises(IntegrationError, match=r"(non-finite|spent) .*\nat t=\S+ in 1 of 2 rows"):
            method().integrate(lambda t, x, rows: torch.full_like(x, 1e37), x, 0.0, 1.0, **options)


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
        method(max_evaluations=1).integrate(bend, start(), 0.0, 1.0)


@each(*FIXED)
def test_fixed_methods_refuse_control(method):
    for options in ({"steps": "adaptive"}, {"rtol": 1e-3}, {"atol": 1e-3}):
        with pytest.raises(ConfigError, match=r"(?s)equal steps.*bosh3, dopri5, dopri8, tsit5"):
            method().integrate(bend, start(), 0.0, 1.0, **options)


@each(*FIXED, *ADAPTIVE)
@pytest.mark.parametrize("steps", [0, -1, 2.5, True, "many", "adaptiv"])
def test_impossible_steps(method, steps):
    with pytest.raises(ConfigError, match="steps"):
        method().integrate(bend, start(), 0.0, 1.0, steps=steps)


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
        method().integrate(bend, start(), 0.0, 1.0, **options)
    assert method().integrate(bend, start(), 0.0, 1.0, steps="adaptive", atol=0).steps[0] > 0


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
            method().integrate(bend, state, 0.0, 1.0)
    for field in (lambda t, x, rows: x[..., 0], lambda t, x, rows: (x,), lambda t, x, rows: None):
        with pytest.raises(ShapeError, match="structure and shapes"):
            method().integrate(field, x, 0.0, 1.0)
    with pytest.raises(ShapeError, match="structure and shapes"):
        method().integrate(lambda t, state, rows: state[0], (x, x), 0.0, 1.0)
    for time in (math.inf, "1", None):
        with pytest.raises(ConfigError, match="t1"):
            method().integrate(bend, x, 0.0, time)


@pytest.mark.parametrize("config", [Euler(), Dopri5(), Dopri5(control="batch")], ids=["fixed", "row", "batch"])
def test_an_error_of_the_field_is_its_own(config):
    def field(t, x, rows):
        raise AssertionError("max_num_steps: mine")

    with pytest.raises(AssertionError, match="mine"):
        config.integrate(field, start(), 0.0, 1.0)


# --- configs -------------------------------------------------------------------------------------


def test_configs_say_what_they_are():
    with pytest.raises(ConfigError, match=r"(?s)joint control.*dopri5"):
        Tsit5(control="batch")
    with pytest.raises(ConfigError, match="max_evaluations"):
        Dopri5(max_evaluations=0)
    assert Dopri5(control="batch").to_dict() == {
        "name": "dopri5",
        "control": "batch",
        "max_evaluations": 20_000,
    }
    for method in (*FIXED, *ADAPTIVE):
        assert getattr(integrators, method.__name__) is method and method.references
        assert method().build().order == method.order


def test_configs_do_not_import_torch():
    code = (
        "import sys; from sbicore import integrators as i; "
        f"[getattr(i, n)() for n in {[method.__name__ for method in (*FIXED, *ADAPTIVE)]}]; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
