"""The kit sees what networks have learnt, and whether densities are those of the draws."""

from __future__ import annotations

import functools
import math
import re
from typing import ClassVar

import pytest
import torch
from sbicore_flow_matching import FlowMatching
from sbicore_flow_matching.module import FlowMatchingModule
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from sbicore import approximators
from sbicore.backbone import Backbone
from sbicore.config import InferenceNetworkConfig, SubnetConfig, frozen
from sbicore.fields import component
from sbicore.randomness import rand, randn
from sbicore.shapes import Shapes
from sbicore.solver import SolverOptions
from sbicore.testing import _learning_checks, check_component, checks

SOLVER = SolverOptions(method="midpoint", steps=40)


class OneStep(nn.Module):
    """A consistency model drawn from with one evaluation (arXiv:2410.11081); it has no density."""

    def __init__(self, config, shapes):
        super().__init__()
        self.event = shapes.target
        self.backbone = Backbone(config.subnet, Shapes(target=self.event, conditions=shapes.conditions, time=True))

    def loss(self, targets, conditions, *, generator=None):
        t = (2 * randn(targets.shape[:1], generator, targets) - 1.1).exp().atan()
        cos, sin, noise = t.cos()[:, None], t.sin()[:, None], randn(targets.shape, generator, targets)
        x, slope = cos * targets + sin * noise, cos * noise - sin * targets
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            old, change = torch.func.jvp(
                lambda x, t: self.backbone(x, t, conditions), (x, t), (cos * sin * slope, t.cos() * t.sin())
            )
            step = -(cos**2) * (old - slope) - (cos * sin * x + change)
            step = step / (step.norm(dim=-1, keepdim=True) + 0.1)
        return (self.backbone(x, t, conditions) - old - step).square().mean(-1)

    def sample(self, shape, conditions, *, generator=None, report=None):
        noise = randn((*shape, *self.event), generator, self.backbone.head.weight)
        return -self.backbone(noise, noise.new_full((1,), math.pi / 2), conditions)


class Point(nn.Module):
    """Mean and quartiles, without draws."""

    def __init__(self, config, shapes):
        super().__init__()
        (self.size,) = shapes.target
        self.backbone = Backbone(config.subnet, Shapes(target=shapes.conditions or (1,), output=3 * self.size))

    def heads(self, conditions):
        x = self.backbone.head.weight.new_ones(1, 1) if conditions is None else conditions
        mean, *quartiles = self.backbone(x).chunk(3, dim=-1)
        return mean, torch.stack(quartiles, dim=-2)

    def estimate(self, conditions):
        mean, quartiles = self.heads(conditions)
        return {"point": {"mean": mean}, "quartiles": {"quantiles": quartiles}}

    def loss(self, targets, conditions, *, generator=None):
        mean, quartiles = self.heads(conditions)
        gap = targets.unsqueeze(-2) - quartiles
        pinball = torch.maximum(gap * gap.new_tensor([[0.25], [0.75]]), gap * gap.new_tensor([[-0.75], [-0.25]]))
        return (targets - mean).square().mean(-1) + pinball.flatten(-2).mean(-1)


class Estimator(approximators.ContinuousApproximator):
    """The approximator that `Point` asks for."""

    def estimate(self, conditions):
        with torch.no_grad():
            found = self.network.estimate(self.observe(conditions))
        return {
            rule: {name: self.to_user_space(value)["theta"].numpy() for name, value in statistics.items()}
            for rule, statistics in found.items()
        }


@pytest.fixture(autouse=True)
def estimator(monkeypatch):
    monkeypatch.setattr(approximators, "Estimator", Estimator, raising=False)
    monkeypatch.setattr(approximators, "__all__", [*approximators.__all__, "Estimator"])


def config_of(module, *capabilities, approximator="ContinuousApproximator"):
    """A config whose network is this module."""

    @frozen(kw_only=True)
    class Toy(InferenceNetworkConfig):
        """A network of this file."""

        name: ClassVar[str] = "toy"
        subnet: SubnetConfig = component("subnet", "mlp", doc="Backbone.")

        def build(self, shapes):
            return module(self, shapes)

    Toy.capabilities, Toy.approximator = frozenset(capabilities), approximator
    return Toy()


def one_step(**members):
    return config_of(type("Broken", (OneStep,), members), "sample")


def point(**members):
    return config_of(type("Broken", (Point,), members), "estimate", approximator="Estimator")


def flow(facts=(), **members):
    """Flow matching with other members."""
    module = type("Broken", (FlowMatchingModule,), members)
    facts = {"build": lambda self, shapes: module(self, shapes), "__doc__": "Broken.", **dict(facts)}
    return frozen(kw_only=True)(type("Broken", (FlowMatching,), facts))()


def draws(change, base=flow, module=FlowMatchingModule):
    """A network whose draws are a function of its draws."""
    return base(sample=lambda self, *arguments, **rest: change(module.sample(self, *arguments, **rest)))


def density(change):
    """A flow whose log density is a function of its log density and the targets."""
    return flow(log_prob=lambda self, x, c, **rest: change(FlowMatchingModule.log_prob(self, x, c, **rest), x))


def estimates(change):
    """Estimates of which each is a function of what it should be."""

    def changed(self, conditions):
        found = Point.estimate(self, conditions)
        return {rule: {name: change(value) for name, value in statistics.items()} for rule, statistics in found.items()}

    return point(estimate=changed)


def blind(base, module):
    """A network that sees no conditions, and learns the prior."""

    def init(self, config, shapes):
        module.__init__(self, config, shapes)
        (part,) = (part for part in self.children() if isinstance(part, Backbone))
        part.register_forward_pre_hook(lambda part, inputs: (*inputs[:-1], 0 * inputs[-1]))

    return base(__init__=init)


def potential(self, targets, conditions, *, generator=None):
    """Denoising by the slope of a potential, whose own gradient is a second derivative."""
    x = torch.lerp(targets, randn(targets.shape, generator, targets), 0.5).requires_grad_()
    energy = self.backbone(x, x.new_ones(len(x)), conditions).square().sum()
    (slope,) = torch.autograd.grad(energy, x, create_graph=True)
    return (x - slope - targets).square().mean(-1)


def flow_loss(sign=1.0, data_at=0.0):
    """The loss of flow matching with another sign of the velocity, or with data at t = 1."""

    def loss(self, targets, conditions, *, generator=None):
        noise = self.base.sample(targets.shape, generator=generator, like=targets)
        t = rand(targets.shape[:1], generator, targets)
        x = torch.lerp(targets, noise, (t - data_at).abs()[:, None])
        return (self.backbone(x, t, conditions) - sign * (noise - targets)).square().mean(1)

    return loss


def uphill(self, shape, conditions, *, generator=None, report=None, **options):
    """Draws that follow the velocity the wrong way."""
    noise = self.base.sample((*shape, *self.event), generator=generator, like=self.backbone.head.weight)
    return SOLVER.integrate(lambda t, x, rows: -self.backbone(x, t, conditions), noise, 1.0, 0.0).state


def untraced(self, targets, conditions, *, generator=None, report=None, **options):
    """The density of a flow that forgets how its field stretches space."""
    end = SOLVER.integrate(lambda t, x, rows: self.backbone(x, t, conditions), targets, 0.0, 1.0).state
    return self.base.log_prob(end)


def detached(self, targets, conditions, **rest):
    return FlowMatchingModule.log_prob(self, targets.detach(), conditions, **rest) + 0 * targets.sum(-1)


PRIOR = blind(flow, FlowMatchingModule)

BROKEN = {
    "check_log_prob_gradient": {"cut in the middle": (flow(log_prob=detached), "a slope that is off by")},
    "check_density": {
        "unnormalised": (density(lambda v, x: v + 0.02), r"size 1, no conditions: .* integrates to 1\.020"),
        "in one dimension": (
            density(lambda v, x: v + (x.shape[-1] - 1)),
            r"size 2, no conditions: .* integrates to 2\.7",
        ),
        "wider draws": (draws(lambda v: 1.1 * v), "share of draws below a point is off"),
        "moved draws": (draws(lambda v: v + 0.1), "share of draws below a point is off"),
        "clipped draws": (draws(lambda v: v.clamp(-2, 2)), "share of draws below a point is off"),
        "one number twice": (draws(lambda v: v[..., :1].expand_as(v)), "in two dimensions draws and density differ"),
        "wrong way": (flow(sample=uphill), "share of draws below a point is off"),
        "no trace": (flow(log_prob=untraced), "the density integrates to"),
    },
    "check_compile": {"second derivative": (flow(loss=potential), "does not currently support double backward")},
    "check_estimate": {
        "of a batch": (estimates(lambda v: v - v.mean(0)), "point.mean of a row depends on its neighbours"),
        "no rows": (estimates(lambda v: v[0]), "has not 1 rows"),
        "nan": (estimates(lambda v: v / 0 * 0), "point.mean is not finite"),
        "no conditions": (estimates(lambda v: 0 * v), "conditions do nothing to point.mean"),
    },
    "check_learns": {
        "other sign": (flow(loss=flow_loss(sign=-1.0)), "the mean of draws is off by"),
        "data at t = 1": (flow(loss=flow_loss(data_at=1.0)), "the mean of draws is off by"),
        "prior": (PRIOR, "the mean of draws is off by 1.4"),
        "prior in one step": (blind(one_step, OneStep), "the mean of draws is off by 1.4"),
        "mean in one step": (
            draws(lambda v: v.mean(1, keepdim=True) + 0.1 * v, one_step, OneStep),
            "the sd of draws is off by 2",
        ),
        "too wide": (
            draws(lambda v: v + 0.3 * (v - v.mean(1, keepdim=True))),
            "the sd of draws is off by 0.2.; sound networks stay below 0.15",
        ),
        "uncorrelated": (
            draws(lambda v: torch.stack([v[..., 0], v[..., 1].roll(1, 1)], -1)),
            "the correlation of draws",
        ),
    },
    "check_learns_density": {
        "prior": (PRIOR, "off by 1"),
        "constant": (density(lambda v, x: v + 1.2), "off by 1"),
    },
    "check_learns_estimate": {
        "prior": (blind(point, Point), "point.mean is off by 1"),
        "upside down": (estimates(lambda v: -v), "quartiles.quantiles do not increase"),
    },
}
CASES = {f"{check}, {name}": (check, *case) for check, cases in BROKEN.items() for name, case in cases.items()}

SOUND = {"flow": flow(), "draws alone": one_step(), "estimates alone": point()}
LENT = {
    "check_learns, mean in one step": "draws alone",
    "check_learns, too wide": "flow",
    "check_learns, uncorrelated": "flow",
    "check_learns_density, constant": "flow",
    "check_learns_estimate, upside down": "estimates alone",
}
"""They are wrong in what they answer and train as sound ones do, whose weights they are lent."""


@pytest.fixture(autouse=True)
def trained(monkeypatch, estimator):
    """Each config is trained once, and for half as long."""
    lenders = {CASES[case][1]: SOUND[sound] for case, sound in LENT.items()}

    def lent(config, seed):
        if config not in lenders:
            return TRAINED(config, seed)
        model = _learning_checks._untrained(config)
        model.build({"theta": (2,), "x": (2,)}, seed=seed)
        model.load_state_dict(TRAINED(lenders[config], seed).state_dict())
        model.is_trained = True
        return model

    monkeypatch.setattr(_learning_checks, "EPOCHS", 20)
    monkeypatch.setattr(_learning_checks, "_trained", lent)


TRAINED = functools.cache(_learning_checks._trained.__wrapped__)


@pytest.mark.parametrize(("check", "config", "found"), CASES.values(), ids=CASES)
def test_broken_ones_are_caught(check, config, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


@pytest.mark.parametrize("name", ["draws alone", "estimates alone"])
def test_sound_ones_pass(name):
    check_component(SOUND[name])


def test_a_declared_exception_is_not_compiled():
    config = flow({"compiles": False}, loss=potential)
    assert "check_compile" not in [check.__name__ for check in checks(config)]
