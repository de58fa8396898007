"""What is special about flow matching: its path, its time law, its traces, its solvers."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import pytest
import torch
from sbicore_flow_matching import FlowMatching
from torch import nn

import sbicore
from sbicore.errors import ConfigError
from sbicore.shapes import Shapes


class Exact(nn.Module):
    """The optimal velocity for targets N(m, s^2): E[e - x | x_t] of a linear-Gaussian path."""

    out_features: ClassVar[int] = 1

    def __init__(self, mean=0.7, sd=0.5):
        super().__init__()
        self.mean, self.sd = mean, sd
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x, t, conditions=None):
        t = t.unsqueeze(-1)
        variance = (1 - t) ** 2 * self.sd**2 + t**2
        slope = (t - (1 - t) * self.sd**2) / variance
        return slope * (x - (1 - t) * self.mean) - self.mean


@pytest.fixture
def exact():
    """A flow matching network whose velocity is the exact one for N(0.7, 0.5^2)."""
    network = FlowMatching(subnet=Exact()).build(Shapes(target=(1,)))
    with torch.no_grad():
        network.backbone.head.weight.fill_(1.0)
    return network.double()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"method": "dopri5"},
        {"method": "tsit5", "rtol": 1e-4, "atol": 1e-4},
        {"method": "heun", "steps": 50},
        {"method": "euler", "steps": 500},
    ],
)
def test_draws_of_the_exact_field_follow_the_target(exact, options):
    """With 40,000 draws the margins are four standard errors plus 0.004 for the solver."""
    n = 40_000
    draws = exact.sample((1, n), None, generator=torch.Generator().manual_seed(1), **options)
    assert float(draws.detach().mean()) == pytest.approx(0.7, abs=4 * 0.5 / math.sqrt(n) + 0.004)
    assert float(draws.detach().std()) == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(2 * n) + 0.004)


@pytest.mark.parametrize("options", [{}, {"hutchinson": 1}, {"method": "rk4", "steps": 40}])
def test_density_of_the_exact_field_is_the_targets(exact, options):
    """In one dimension a single Rademacher probe is exact."""
    x = torch.linspace(-1, 2.4, 9, dtype=torch.float64).reshape(9, 1, 1)
    found = exact.log_prob(x, None, generator=torch.Generator().manual_seed(1), **options)
    expected = torch.distributions.Normal(0.7, 0.5).log_prob(x[..., 0])
    torch.testing.assert_close(found.detach(), expected, atol=2e-4, rtol=0)


def test_the_loss_of_the_exact_field_is_its_conditional_variance(exact):
    """E (e - x - v)^2 = integral of s^2 / ((1-t)^2 s^2 + t^2) dt; four standard errors of 200,000 rows."""
    g = torch.Generator().manual_seed(2)
    targets = 0.7 + 0.5 * torch.randn(200_000, 1, generator=g, dtype=torch.float64)
    loss = exact.loss(targets, None, generator=g).detach()
    t = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    expected = float(torch.trapezoid(0.25 / ((1 - t) ** 2 * 0.25 + t**2), t))
    assert float(loss.mean()) == pytest.approx(expected, abs=4 * float(loss.std()) / math.sqrt(200_000))


def test_times_follow_the_power_law(monkeypatch):
    """t = 1 - u^(1 + alpha) has mean 1 - 1 / (2 + alpha)."""
    seen = []

    class Watch(Exact):
        def forward(self, x, t, conditions=None):
            seen.append(t)
            return super().forward(x, t, conditions)

    for alpha in (-0.5, 0.0, 1.0):
        network = FlowMatching(subnet=Watch(), time_power_law_alpha=alpha).build(Shapes(target=(1,)))
        seen.clear()
        network.loss(torch.zeros(100_000, 1), None, generator=torch.Generator().manual_seed(1))
        assert float(seen[0].mean()) == pytest.approx(1 - 1 / (2 + alpha), abs=4 * 0.3 / math.sqrt(100_000))


def test_the_huber_loss_is_the_squared_one_but_for_outliers():
    losses = {}
    for name in ("mse", "huber"):
        for far in (1.0, 100.0):
            torch.manual_seed(0)
            network = FlowMatching(loss_fn=name, subnet_kwargs={"widths": [8]}).build(Shapes(target=(2,)))
            found = network.loss(torch.full((50, 2), far), None, generator=torch.Generator().manual_seed(1))
            losses[name, far] = float(found.mean().detach())
    assert losses["huber", 1.0] == pytest.approx(losses["mse", 1.0] / 2, rel=1e-5)
    assert losses["huber", 100.0] < losses["mse", 100.0] / 5


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ({"name": "normal", "trainable": True}, "would shrink"),
        ({"name": "mixture", "components": 2, "trainable": True}, "would shrink"),
        ({"name": "student_t", "df": 2.0}, "no variance"),
    ],
)
def test_a_base_that_the_loss_would_spoil_is_refused(base, said):
    with pytest.raises(ConfigError, match=said):
        FlowMatching(base_distribution=base)


def test_options_of_a_transport_that_is_not_used_are_refused():
    with pytest.raises(ConfigError, match="use_optimal_transport=True, too"):
        FlowMatching(optimal_transport_kwargs={"method": "sinkhorn"})


def test_call_arguments_win_over_integrate_kwargs():
    network = FlowMatching(subnet_kwargs={"widths": [8]}, integrate_kwargs={"method": "euler", "steps": 7}).build(
        Shapes(target=(2,))
    )
    for options, evaluations in (({}, 7), ({"steps": 3}, 3), ({"method": "heun", "steps": 4}, 8)):
        report = {}
        network.sample((1, 5), None, report=report, **options)
        assert int(report["evaluations"][0]) == evaluations
    report = {}
    network.sample((1, 5), None, report=report, rtol=1e-2)
    assert int(report["evaluations"][0]) > 7


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps"),
        ({"rtol": 0.0}, "rtol"),
        ({"method": "runge"}, "runge"),
        ({"stepz": 3}, "did you mean 'steps'"),
        ({"steps": 5, "rtol": 1e-3}, "exclude"),
    ],
)
def test_impossible_options_are_refused(options, words):
    network = FlowMatching(subnet_kwargs={"widths": [8]}).build(Shapes(target=(2,)))
    with pytest.raises((ConfigError, LookupError), match=words):
        network.sample((1, 5), None, **options)


@pytest.mark.parametrize("base", ["normal", "student_t", {"name": "mixture", "components": 3}])
def test_any_base_distribution_trains_and_integrates_to_one(base):
    rng = np.random.default_rng(0)
    model = sbicore.build(
        "flow_matching",
        base_distribution=base,
        subnet_kwargs={"widths": [32, 32]},
        inference_variables=["theta"],
    )
    model.fit({"theta": rng.normal(size=(1000, 1))}, epochs=10, batch_size=100, seed=1, progress=False)
    grid = np.linspace(-8, 8, 1601)
    density = np.exp(model.log_prob({"theta": grid[:, None]}, progress=False).astype(float))
    assert np.trapezoid(density, grid) == pytest.approx(1.0, abs=5e-3)
