"""Core's stochastic and denoising methods: their contract, and strong errors on one path beside known ones."""

from __future__ import annotations

import math

import pytest
import torch

from sbicore.brownian import BrownianPath, BrownianRows
from sbicore.errors import ConfigError, IntegrationError
from sbicore.integrators import (
    SEA,
    SHARK,
    EDMHeun,
    EulerMaruyama,
    PredictorCorrector,
    TwoStepAdaptive,
)
from sbicore.testing import parametrize_conformance


@parametrize_conformance([PredictorCorrector(corrector_steps=0)])
def test_a_predictor_alone_conforms(component, check):
    check(component)


def drift(t, x, rows):
    return -x


def moment_errors(method, steps):
    """Of mean and variance of `dx = -x dt + dW` at 1 from x = 1, without chance: responses to one impulse at a time."""
    x = torch.zeros(1, 1 + 2 * steps, dtype=torch.float64)
    x[0, 0] = 1.0
    places = iter(range(steps))

    def impulses(t0, t1):
        step, w, area = next(places), torch.zeros_like(x), torch.zeros_like(x)
        w[0, 1 + step] = area[0, 1 + steps + step] = 1.0
        return w, area

    found = method.integrate(drift, x, 0.0, 1.0, diffusion=torch.ones_like, brownian=impulses, steps=steps).state[0]
    by_w, by_area = found[1 : 1 + steps].square().sum(), found[1 + steps :].square().sum()
    variance = (by_w + by_area / 12) / steps
    return abs(float(found[0]) - math.exp(-1)), abs(float(variance) - (1 - math.exp(-2)) / 2)


@pytest.mark.parametrize(("method", "order"), [(EulerMaruyama(), 1), (SEA(), 1), (SHARK(), 2)])
def test_weak_orders(method, order):
    for coarse, fine in zip(moment_errors(method, 32), moment_errors(method, 64), strict=True):
        assert math.log2(coarse / fine) == pytest.approx(order, abs=0.1)


@pytest.fixture(scope="module")
def strong_error():
    """Of `dx = -x dt + dW` in 8 steps over 4,000 paths, against 256 steps of SHARK on the same paths."""
    x, path = torch.zeros(4_000, 1, dtype=torch.float64), BrownianPath((4_000, 1), seed=1)
    exact = SHARK().integrate(drift, x, 0.0, 1.0, diffusion=torch.ones_like, brownian=path, steps=256).state

    def error(method, area=1.0):
        def brownian(t0, t1):
            w, levy = path(t0, t1)
            return w, area * levy

        found = method.integrate(drift, x, 0.0, 1.0, diffusion=torch.ones_like, brownian=brownian, steps=8).state
        return float((found - exact).square().mean().sqrt())

    return error


def test_the_levy_area_takes_off_the_error_what_it_should(strong_error):
    """In 8 steps the errors with the area over those without are 0.62 for SEA and 0.06 for SHARK."""
    assert strong_error(SEA()) < 0.9 * strong_error(SEA(), area=0.0)
    assert strong_error(SEA()) < 0.6 * strong_error(EulerMaruyama())
    assert strong_error(SHARK()) < 0.15 * strong_error(SHARK(), area=0.0)


def test_finer_tolerances_take_more_steps_and_come_nearer():
    x = torch.zeros(2, 500, dtype=torch.float64)
    errors, steps = [], []
    options = {"diffusion": torch.ones_like, "brownian": BrownianPath(x.shape, seed=2)}
    exact = SHARK().integrate(drift, x, 0.0, 1.0, steps=512, **options).state
    for tolerance in (0.1, 0.01, 0.001):
        found = TwoStepAdaptive().integrate(drift, x, 0.0, 1.0, rtol=tolerance, atol=tolerance, **options)
        errors.append(float((found.state - exact).square().mean().sqrt()))
        steps.append(int(found.steps[0]))
    assert errors[0] > 3 * errors[1] > 9 * errors[2] and steps[0] < steps[1] < steps[2]


def test_a_path_that_forgets_goes_on_as_one_that_keeps_all():
    for t0, t1 in ((0.0, 1.0), (1.0, 0.0)):
        paths = [BrownianPath((3,), seed=1, t0=t0, t1=t1, forgets=forgets) for forgets in (False, True)]
        for start, stop in ((0.0, 0.5), (0.0, 0.2), (0.2, 0.4), (0.4, 0.5), (0.5, 1.0)):
            asked = [path(t0 + (t1 - t0) * start, t0 + (t1 - t0) * stop) for path in paths]
            torch.testing.assert_close(*asked)


def test_rows_have_paths_of_their_own():
    generators = [torch.Generator().manual_seed(i) for i in (1, 1, 2)]
    rows = BrownianRows([BrownianPath((4,), generator=own) for own in generators])
    w, area = rows(torch.tensor([0.0, 0.0, 0.0]), torch.tensor([0.5, 0.5, 0.5]))
    assert w.shape == area.shape == (3, 4)
    assert torch.equal(w[0], w[1]) and not torch.equal(w[0], w[2])


def test_budgets_and_directions_that_cannot_work_are_named():
    x, path = torch.zeros(1, 2, dtype=torch.float64), BrownianPath((1, 2), seed=1)
    with pytest.raises(IntegrationError, match="spent its budget of 4 evaluations"):
        TwoStepAdaptive(max_evaluations=4).integrate(
            drift, x, 0.0, 1.0, diffusion=torch.ones_like, brownian=path, rtol=1e-4, atol=1e-4
        )
    with pytest.raises(ConfigError, match="edm_heun runs from noise to data"):
        EDMHeun().integrate(drift, x, 0.0, 1.0)
