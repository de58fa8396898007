"""Solvers against known solutions: order, tolerance, independence of rows, counts, errors."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torchdiffeq import odeint

from sbicore.errors import ConfigError
from sbicore.integrators import RK4, Bosh3, Dopri5, Dopri8, Euler, Heun, Midpoint, Tsit5

FIXED = (Euler, Midpoint, Heun, RK4)
ADAPTIVE = (Bosh3, Dopri5, Dopri8, Tsit5)
JOINT = (Bosh3, Dopri5, Dopri8)
DIRECTIONS = ((0.0, 2.0), (2.0, 0.0))


def name(value):
    return value.name if hasattr(value, "name") else None


def each(*methods):
    return pytest.mark.parametrize("method", methods, ids=name)


both_ways = pytest.mark.parametrize(("t0", "t1"), DIRECTIONS, ids=["forward", "backward"])


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


def swirl(t, x, rows=None):
    """Turns each point of the plane at a speed that depends on time and on its radius."""
    speed = (1 + x.square().sum(-1, keepdim=True)) * (2 + torch.sin(3 * wide(t, x)))
    return speed * torch.stack([-x[..., 1], x[..., 0]], -1)


def swirled(x, t0, t1):
    angle = (1 + x.square().sum(-1)) * (2 * (t1 - t0) - (math.cos(3 * t1) - math.cos(3 * t0)) / 3)
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x[..., 0] - sin * x[..., 1], sin * x[..., 0] + cos * x[..., 1]], -1)


def cloud(rows=20, draws=3):
    return torch.rand(rows, draws, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 0.5


class Tally:
    """A field that adds up how many rows each call held and keeps the times it saw."""

    def __init__(self, field):
        self.field, self.calls, self.rows, self.times = field, 0, 0, []

    def __call__(self, t, x, rows):
        part = x[0] if isinstance(x, tuple) else x
        assert t.shape in {(1,), (part.shape[0], 1)} and t.dtype == part.dtype
        assert rows is None or (rows.dtype == torch.int64 and rows.shape == part.shape[:1])
        self.calls, self.rows = self.calls + 1, self.rows + part.shape[0]
        self.times.extend(t.flatten().tolist())
        return self.field(t, x, rows)


class Timed:
    """A field with torchdiffeq's signature."""

    def __init__(self, field):
        self.field = field

    def __call__(self, t, x):
        return self.field(t[None], x, None)


# --- accuracy -----------------------------------------------------------------------------------

GRIDS = {
    "euler": (512, 2048),
    "midpoint": (64, 512),
    "heun": (64, 512),
    "rk4": (32, 256),
    "bosh3": (48, 300),
    "dopri5": (40, 200),
    "tsit5": (40, 200),
    "dopri8": (12, 40),
}


@each(*FIXED, *ADAPTIVE)
@both_ways
def test_error_of_equal_steps_falls_at_the_declared_order(method, t0, t1):
    t0, t1 = t0 / 2, t1 / 2
    steps = np.unique(np.geomspace(*GRIDS[method.name], 4).astype(int))
    x = cloud()
    end = swirled(x, t0, t1)
    errors = [(method().integrate(swirl, x, t0, t1, steps=int(n)).state - end).square().mean().sqrt() for n in steps]
    slope = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert abs(slope - method.order) < 0.2, slope


@each(*ADAPTIVE)
@both_ways
@pytest.mark.parametrize("control", ["observation", "batch"])
def test_error_falls_with_the_tolerance(method, t0, t1, control):
    if control == "batch" and method not in JOINT:
        with pytest.raises(ConfigError, match="control"):
            method(control=control)
        return
    x = cloud()
    end = swirled(x, t0, t1)
    errors, evaluations = [], []
    for tolerance in (1e-3, 1e-5, 1e-7, 1e-9):
        solution = method(control=control).integrate(swirl, x, t0, t1, rtol=tolerance, atol=tolerance)
        errors.append(float((solution.state - end).abs().max()))
        evaluations.append(int(solution.evaluations.max()))
        assert errors[-1] < (200 if control == "batch" else 40) * tolerance
    assert errors[-1] < 1e-4 * errors[0] and evaluations == sorted(evaluations)


def conditions_up_to(order):
    """Rooted trees as sorted tuples of their branches, by order: the conditions of Butcher."""
    trees = {1: [()]}
    for size in range(2, order + 1):
        found = set()

        def grow(left, branches, found=found):
            if left == 0:
                found.add(tuple(sorted(branches)))
            for part in range(1, left + 1):
                for tree in trees[part]:
                    if not branches or tree >= branches[-1]:
                        grow(left - part, (*branches, tree))

        grow(size - 1, ())
        trees[size] = sorted(found)
    return trees


def residual(a, weights, tree):
    """|sum of weights times elementary weight - 1/density|."""

    def visit(node):
        value, size, density = np.ones(len(a)), 1, 1
        for branch in node:
            inner, inner_size, inner_density = visit(branch)
            value, size, density = value * (a @ inner), size + inner_size, density * inner_density
        return value, size, density * size

    value, _, density = visit(tree)
    return abs(weights @ value - 1 / density)


@each(*ADAPTIVE)
def test_tableau_meets_the_order_conditions(method):
    tableau = method().tableau()
    stages = len(tableau.stages) + 1
    a = np.zeros((stages, stages))
    for i, row in enumerate(tableau.stages, start=1):
        a[i, : len(row)] = row
    weights = a[-1]
    embedded = weights - np.array(tableau.error)
    trees = conditions_up_to(method.order)
    assert [len(trees[n]) for n in sorted(trees)] == [1, 1, 2, 4, 9, 20, 48, 115][: method.order]
    np.testing.assert_allclose(a.sum(1)[1:], tableau.nodes, rtol=0, atol=2e-14)
    assert max(residual(a, weights, t) for n in trees for t in trees[n]) < 2e-13
    assert max(residual(a, embedded, t) for n in trees if n < method.order for t in trees[n]) < 2e-13
    assert max(residual(a, embedded, t) for t in trees[method.order]) > 1e-5
    assert tableau.nodes[-1] == 1 and len(tableau.error) == stages and tableau.order == method.order


@each(*ADAPTIVE)
@both_ways
def test_per_row_control_agrees_with_torchdiffeq(method, t0, t1):
    x = cloud(6)
    times = torch.tensor([t0, t1], dtype=x.dtype)
    oracle = odeint(swirl, x, times, rtol=1e-12, atol=1e-12)[-1]
    for tolerance in (1e-4, 1e-8):
        solution = method().integrate(swirl, x, t0, t1, rtol=tolerance, atol=tolerance)
        torch.testing.assert_close(solution.state, oracle, rtol=0, atol=20 * tolerance)
    if method in JOINT:  # alone, a row costs about what torchdiffeq needs for it
        for i in range(6):
            tally = Tally(swirl)
            odeint(Timed(tally), x[i : i + 1], times, rtol=1e-8, atol=1e-8, method=method.name)
            assert 0.6 < int(solution.evaluations[i]) / tally.calls < 1.4


@each(*JOINT)
def test_joint_control_is_torchdiffeqs(method):
    x = start()
    times = torch.tensor([0.0, 2.0], dtype=x.dtype)
    oracle = odeint(bend, x, times, rtol=1e-6, atol=1e-8, method=method.name, options={"step_t": times[1:]})
    solution = method(control="batch").integrate(bend, x, 0.0, 2.0, rtol=1e-6, atol=1e-8)
    assert torch.equal(solution.state, oracle[-1])


@each(*FIXED)
def test_fixed_steps_are_torchdiffeqs(method):
    x = start()
    times = torch.linspace(0.0, 2.0, 11, dtype=x.dtype)
    oracle = odeint(bend, x, times, method="heun2" if method is Heun else method.name)[-1]
    torch.testing.assert_close(method().integrate(bend, x, 0.0, 2.0, steps=10).state, oracle, rtol=1e-14, atol=0)


@each(*FIXED, *ADAPTIVE)
@both_ways
def test_constant_field_is_exact(method, t0, t1):
    x = start(dtype=torch.float32)
    slope = torch.arange(6.0).reshape(3, 2, 1)

    def field(t, x, rows):
        return slope if rows is None else slope[rows]

    for steps in (None, 7):
        state = method().integrate(field, x, t0, t1, steps=steps).state
        torch.testing.assert_close(state, x + (t1 - t0) * slope, rtol=2e-6, atol=1e-6)


# --- rows ---------------------------------------------------------------------------------------

RATES = torch.tensor([0.1, 1.0, 300.0, 5.0, 0.0], dtype=torch.float64)


def relax(t, x, rows):
    """Rows of very different stiffness, by their own condition."""
    rate = wide(RATES if rows is None else RATES[rows], x)
    return rate * (torch.sin(wide(t, x)) - x)


@each(*ADAPTIVE)
@both_ways
def test_a_row_does_not_depend_on_its_neighbours(method, t0, t1):
    x = torch.randn(5, 4, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    t0, t1 = t0 / 4, t1 / 4
    rates = RATES if t1 > t0 else RATES / 20

    def field(t, x, rows, chosen=None):
        own = rates if chosen is None else chosen
        rate = wide(own if rows is None else own[rows], x)
        return rate * (torch.sin(wide(t, x)) - x)

    together = method().integrate(field, x, t0, t1)
    for i in range(5):
        alone = method().integrate(lambda t, y, rows, i=i: field(t, y, rows, rates[i : i + 1]), x[i : i + 1], t0, t1)
        torch.testing.assert_close(together.state[i : i + 1], alone.state, rtol=1e-12, atol=1e-12)
        assert together.evaluations[i] == alone.evaluations[0] and together.steps[i] == alone.steps[0]
    order = torch.tensor([3, 0, 4, 1, 2])
    moved = method().integrate(lambda t, y, rows: field(t, y, rows, rates[order]), x[order], t0, t1)
    torch.testing.assert_close(moved.state, together.state[order], rtol=1e-12, atol=1e-12)
    assert len(set(together.evaluations.tolist())) > 1


@each(*ADAPTIVE)
def test_work_is_counted_and_finished_rows_leave(method):
    x = torch.ones(5, 3, dtype=torch.float64)
    tally = Tally(relax)
    solution = method().integrate(tally, x, 0.0, 0.5)
    stages = len(method().tableau().stages)
    assert solution.evaluations.dtype == solution.steps.dtype == torch.int64
    assert int(solution.evaluations.sum()) == tally.rows and int(solution.evaluations.max()) == tally.calls
    assert ((solution.evaluations - 2) % stages == 0).all()
    assert (solution.steps <= (solution.evaluations - 2) // stages).all() and (solution.steps > 0).all()
    assert int(solution.evaluations.min()) < int(solution.evaluations.max()) / 3
    kink = method().integrate(lambda t, x, rows: torch.where(wide(t, x) < 0.3, 0, -50 * x), x, 0.0, 0.5)
    assert (kink.steps < (kink.evaluations - 2) // stages).all()  # rejected attempts are work, not steps


@each(*FIXED, *ADAPTIVE)
def test_equal_steps_cost_what_the_method_says(method):
    cost = {"euler": 1, "midpoint": 2, "heun": 2, "rk4": 4, "bosh3": 3, "dopri5": 6, "dopri8": 13, "tsit5": 6}
    tally = Tally(bend)
    solution = method().integrate(tally, start(), 0.0, 2.0, steps=7)
    assert solution.evaluations.tolist() == [7 * cost[method.name]] * 3 and solution.steps.tolist() == [7] * 3
    assert tally.calls == 7 * cost[method.name]
    if not method.adaptive:
        assert method().integrate(bend, start(), 0.0, 2.0).steps[0] == method.default_steps


@each(*JOINT)
def test_joint_control_counts_and_keeps_one_step_for_all(method):
    tally = Tally(relax)
    solution = method(control="batch").integrate(tally, torch.ones(5, 3, dtype=torch.float64), 0.5, 0.0)
    assert solution.evaluations.tolist() == [tally.calls] * 5
    assert 0 < int(solution.steps[0]) <= (tally.calls - 2) // len(method().tableau().stages)


@each(*FIXED, *ADAPTIVE)
@both_ways
def test_no_time_outside_the_interval_and_the_end_is_landed_on(method, t0, t1):
    configs = [(method(), {}), (method(), {"steps": 7})]
    configs += [(method(control="batch"), {})] if method in JOINT else []
    for config, options in configs:
        for scale in (1.0, 1e-7):  # a slow field makes the first probe of a solver long
            tally = Tally(lambda t, x, rows, scale=scale: scale * bend(t, x))
            config.integrate(tally, start(), t0, t1, **options)
            assert min(tally.times) >= 0.0 and max(tally.times) <= 2.0
    end = Tally(bend)
    Dopri5().integrate(end, start(), t0, t1)
    assert end.times[-1] == t1


AWKWARD = [(0.3, 0.9), (-0.2, 0.1), (0.1, 0.7), (-0.9, 0.2)]  # low + (high - low) > high, or the reverse


@each(*ADAPTIVE)
def test_rounding_never_carries_a_time_past_the_end(method):
    for low, high in AWKWARD:
        for t0, t1 in ((low, high), (high, low)):
            for options in ({"rtol": 1e-3}, {"steps": 1}, {"steps": 7}):
                tally = Tally(lambda t, x, rows: torch.full_like(x, 1e-6))
                method().integrate(tally, start(), t0, t1, **options)
                assert min(tally.times) >= low and max(tally.times) <= high


@each(*ADAPTIVE)
def test_error_is_a_mean_over_the_row_and_a_maximum_over_parts(method):
    x = start(2, 1)
    one = method().integrate(oscillating, x, 0.0, 3.0)
    many = method().integrate(oscillating, x.expand(2, 50, 1).clone(), 0.0, 3.0)
    assert torch.equal(one.evaluations, many.evaluations)
    idle = torch.zeros(2, 50, 7, dtype=x.dtype)

    def beside(t, state, rows):
        return oscillating(t, state[0], rows), torch.zeros_like(state[1])

    pair = method().integrate(beside, (x, idle), 0.0, 3.0)
    assert torch.equal(one.evaluations, pair.evaluations) and torch.equal(pair.state[1], idle)


def oscillating(t, x, rows=None):
    return torch.cos(20 * wide(t, x)) * x
