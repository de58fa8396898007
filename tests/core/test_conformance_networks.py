"""The kit passes sound inference networks and names what is wrong with broken ones."""

from __future__ import annotations

import math
import re
from typing import ClassVar

import pytest
import torch
from torch import nn

from sbicore.backbone import Backbone
from sbicore.config import InferenceNetworkConfig, Options, SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import component, integer
from sbicore.presets import Preset
from sbicore.randomness import generator_for, rand, randn
from sbicore.shapes import Shapes
from sbicore.testing import check_component


@frozen(kw_only=True)
class SampleOptions(Options):
    """Options of the toys."""

    repeats: int = integer(1, ge=1, doc="Evaluations.")


class Gaussian(nn.Module):
    """A normal of any mean and covariance, which conforms; broken ones differ in one thing."""

    def __init__(self, config, shapes):
        super().__init__()
        self.config = config
        (self.size,) = shapes.target
        self.widths = (self.size, self.size, self.size**2)
        self.backbone = Backbone(config.subnet, Shapes(target=shapes.conditions or (1,), output=sum(self.widths)))

    def posterior(self, conditions):
        """Mean and lower triangular factor of the covariance."""
        x = self.backbone.head.weight.new_ones(1) if conditions is None else conditions
        mean, log_scale, below = self.backbone(x).split(self.widths, dim=-1)
        below = below.unflatten(-1, (self.size, self.size)) + torch.diag_embed(below.sum(-1, keepdim=True) * log_scale)
        return mean, torch.diag_embed(log_scale.exp()) + below.tril(-1)

    def loss(self, targets, conditions, *, generator=None):
        return -self.log_prob(targets, conditions)

    def sample(self, shape, conditions, *, generator=None, report=None, **options):
        repeats = self.config.sample_options(**options).repeats
        mean, factor = self.posterior(conditions)
        if report is not None:
            report["evaluations"] = torch.full((shape[0],), repeats)
        return mean + self.noise(shape, generator, mean, factor)

    def noise(self, shape, generator, mean, factor):
        return (factor @ randn((*shape, self.size), generator, mean).unsqueeze(-1)).squeeze(-1)

    def log_prob(self, targets, conditions, *, generator=None, report=None, **options):
        self.config.log_prob_options(**options)
        mean, factor = self.posterior(conditions)
        z = torch.linalg.solve_triangular(factor, (targets - mean).unsqueeze(-1), upper=False).squeeze(-1)
        log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return -0.5 * z.square().sum(-1) - log_det - 0.5 * self.size * math.log(2 * math.pi)


@frozen(kw_only=True)
class Toy(InferenceNetworkConfig):
    """A network of this file."""

    name: ClassVar[str] = "toy"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob"})
    sample_options: ClassVar[type[Options]] = SampleOptions
    module: ClassVar[type[nn.Module]] = Gaussian

    subnet: SubnetConfig = component("subnet", "mlp", doc="Backbone.")

    def build(self, shapes):
        return self.module(self, shapes)


def toy(facts=(), **members):
    """A Gaussian network of other class facts, or with other members."""
    module = type("Broken", (Gaussian,), members)
    return frozen(kw_only=True)(type("Toy", (Toy,), {"module": module, "__doc__": "A toy.", **dict(facts)}))()


def loss(change, **members):
    """One whose loss is a function of itself, of its loss, and of targets, conditions and generator."""

    def changed(self, targets, conditions, *, generator=None):
        return change(self, Gaussian.loss(self, targets, conditions), targets, conditions, generator)

    return toy(loss=changed, **members)


def draws(change):
    """One whose draws are a function of itself, its draws and the conditions."""

    def changed(self, shape, conditions, **rest):
        return change(self, Gaussian.sample(self, shape, conditions, **rest), conditions)

    return toy(sample=changed)


def noise(change):
    """One whose noise is a function of its own source of noise, of shape and generator."""

    def changed(self, shape, generator, mean, factor):
        return change(lambda shape, generator: Gaussian.noise(self, shape, generator, mean, factor), shape, generator)

    return toy(noise=changed)


def density(change):
    """One whose log density, but not whose loss, is a function of its log density."""

    def changed(self, targets, conditions, **rest):
        return change(Gaussian.log_prob(self, targets, conditions, **rest))

    return toy(log_prob=changed, loss=lambda self, x, c, *, generator=None: -Gaussian.log_prob(self, x, c))


def built(change, **members):
    """One to which something is done once it is built."""

    def init(self, config, shapes):
        Gaussian.__init__(self, config, shapes)
        change(self)

    return toy(__init__=init, **members)


def blind(self):
    """It sees no conditions."""
    self.backbone.register_forward_pre_hook(lambda part, inputs: (0 * inputs[0],))


def first_only(source, shape, generator):
    one = generator if generator is None or isinstance(generator, torch.Generator) else [generator[0]]
    return source((1, *shape[1:]), one).expand(*shape, -1)


def started_anew(source, shape, generator):
    if generator is None or isinstance(generator, torch.Generator):
        return source(shape, generator)
    return source(shape, [torch.Generator().manual_seed(one.initial_seed()) for one in generator])


def unsaved(self):
    """It keeps a random number that no state_dict knows."""
    shift = torch.rand(())
    self.backbone.register_forward_hook(lambda part, inputs, out: out + shift)


def normalised(self, value, *inputs):
    """It scales by the largest loss so far, which no state_dict knows."""
    if self.training:
        self.largest = max(getattr(self, "largest", 1.0), float(value.detach().abs().max()))
    return value / getattr(self, "largest", 1.0)


def unseeded(source, shape, generator):
    fresh = torch.Generator()
    fresh.seed()
    return source(shape, fresh)


def seeding(source, shape, generator):
    """It seeds the whole process."""
    if generator is not None:
        one = generator if isinstance(generator, torch.Generator) else generator[0]
        torch.manual_seed(one.initial_seed())
    return source(shape, None)


def counting(self, targets, conditions, *, generator=None):
    """It counts its calls, in evaluation too."""
    self.calls += 1
    return bare(self, targets, conditions)


def refuse(self):
    if self.config.subnet.uses_time != "optional":
        raise ConfigError("time is a nuisance")


def only_narrow(self):
    if self.backbone.subnet.out_features > 16:
        self.backbone.head = nn.Linear(16, self.backbone.head.out_features)


def careless(self, config, shapes):
    """It gives a time to any subnet."""
    Gaussian.__init__(self, config, shapes)
    config.subnet.build(Shapes(target=(1,), time=True))


def bare(self, targets, conditions, *, generator=None):
    return Gaussian.log_prob(self, targets, conditions)


BROKEN = {
    "check_facts": {
        "misspelt capability": (toy({"capabilities": frozenset({"sample", "logprob"})}), "capabilities hold 'logprob'"),
        "no capability": (toy({"capabilities": frozenset()}), "capabilities are empty"),
        "no method": (toy({"capabilities": frozenset({"estimate"})}), "has no method estimate"),
        "approximator": (toy({"approximator": "Continous"}), "there are: ContinuousApproximator"),
        "options of no class": (toy({"sample_options": dict}), "sample_options is <class 'dict'>"),
    },
    "check_presets": {
        "no preset": (toy({"presets": {"small": {"simulations": 1000}}}), "'small' is .*, no sbicore.presets.Preset"),
        "hyperparameter": (toy({"presets": {"small": Preset(simulations=1, network={"widths": 3})}}), "'widths'"),
        "option": (toy({"presets": {"small": Preset(simulations=1, fit={"step": 3})}}), "'step'; did you mean 'steps'"),
        "one size": (
            toy({"presets": {"small": Preset(simulations=1), "base": Preset(simulations=1)}}),
            "as many simulations",
        ),
    },
    "check_loss": {
        "mean": (loss(lambda self, v, *_: v.mean()), r"expected shape \(6,\), got \(\)"),
        "by entry": (loss(lambda self, v, x, *_: v[:, None] * x), r"expected shape \(6,\), got \(6, 1\)"),
        "of a batch": (loss(lambda self, v, x, *_: v / (x - x.mean()).abs().sum()), "training, batch of 1: not finite"),
        "detached": (loss(lambda self, v, *_: v.detach()), "it has no gradient"),
    },
    "check_loss_gradients": {
        "idle": (built(lambda self: setattr(self, "idle", nn.Parameter(torch.ones(2)))), "none reaches idle"),
        "subnet": (
            built(lambda self: self.backbone.subnet.register_forward_hook(lambda part, inputs, out: out.detach())),
            "none reaches backbone.subnet",
        ),
        "nan": (
            loss(lambda self, v, *_: v + (0 * self.backbone.head.bias.sum()).sqrt()),
            "not finite at backbone.head",
        ),
    },
    "check_loss_inputs": {
        "no targets": (loss(lambda self, v, x, c, g: self.log_prob(0 * x, c)), "targets have no effect"),
        "no conditions": (built(blind), "conditions have no effect"),
    },
    "check_loss_rows": {
        "neighbours": (loss(lambda self, v, *_: v + v.flip(0)), "other targets beside a row change its loss"),
        "of a batch": (loss(lambda self, v, x, *_: v * x.std()), "other targets beside a row change its loss"),
    },
    "check_loss_randomness": {
        "of its own": (loss(lambda self, v, x, *_: v * torch.rand(len(x))), "default generator is touched"),
        "fixed": (loss(lambda self, v, x, *_: v * rand(x.shape[:1], generator_for(0))), "gives the same noise"),
        "fixed by default": (
            loss(lambda self, v, x, c, g: v * rand(x.shape[:1], g or generator_for(0))),
            "without a generator the noise is always the same",
        ),
    },
    "check_loss_precision": {"float32": (loss(lambda self, v, *_: v.float()), "float64 give torch.float32")},
    "check_loss_device": {"cpu": (loss(lambda self, v, *_: v * torch.ones(len(v))), "made without a device")},
    "check_sample": {
        "one axis": (draws(lambda self, v, c: v.flatten(0, 1)), r"\(3, 5, 1\), got \(15, 1\)"),
        "one draw": (draws(lambda self, v, c: v[:, :1].expand_as(v)), "some of 3 x 5 draws are alike"),
        "nan": (draws(lambda self, v, c: v * math.nan), "not finite"),
        "float32": (draws(lambda self, v, c: v.float()), "float64 give torch.float32"),
    },
    "check_sample_randomness": {
        "of its own": (noise(lambda source, n, g: source(n, None)), "generator is touched"),
        "of the day": (noise(unseeded), "the same generators give other draws"),
        "seeds all": (noise(seeding), "default generator is touched"),
        "constant": (noise(lambda source, n, g: source(n, generator_for(0))), "other generators give the same draws"),
        "generator demanded": (noise(lambda source, n, g: source(n, [*g])), "must be an iterable"),
    },
    "check_sample_rows": {
        "first generator": (noise(first_only), "a row alone has other draws"),
        "started anew": (noise(started_anew), "a second call repeats the draws"),
        "neighbours": (draws(lambda self, v, c: v - v.mean(0)), "a row alone has other draws"),
        "conditions": (
            draws(lambda self, v, c: v if c is None else v + self.posterior(c.flip(0))[0]),
            "with conditions: a row alone has other draws",
        ),
    },
    "check_sample_independence": {
        "chain": (draws(lambda self, v, c: v + v.roll(1, 1)), "draws 1 apart have the correlation 0.4"),
        "mirrored": (draws(lambda self, v, c: torch.cat([v[:, :1000], -v[:, :1000]], 1)), "draws 1000 apart"),
    },
    "check_sample_conditions": {"no conditions": (built(blind), "conditions have no effect")},
    "check_sample_options": {
        "swallowed": (
            toy(sample=lambda self, n, c, *, generator=None, **_: Gaussian.sample(self, n, c, generator=generator)),
            "not_an_option=1 was accepted",
        ),
        "refused": (
            toy(sample=lambda self, n, c, *, generator=None, report=None: Gaussian.sample(self, n, c)),
            "unexpected keyword argument 'repeats'",
        ),
        "another default": (
            toy(sample=lambda self, n, c, *, repeats=2, **rest: repeats * Gaussian.sample(self, n, c, **rest)),
            "{'repeats': 1} given by hand change the draws",
        ),
    },
    "check_report": {
        "number": (
            toy(sample=lambda self, n, c, *, report, **_: report.update(steps=3) or Gaussian.sample(self, n, c)),
            "steps of 3 rows is 3",
        ),
    },
    "check_log_prob": {
        "with an axis": (density(lambda v: v[..., None]), r"\(4, 5\), got \(4, 5, 1\)"),
        "underflow": (density(lambda v: v.exp().log()), "not finite"),
        "of a batch": (density(lambda v: v - v.mean()), "alone has another density"),
        "float32": (density(lambda v: v.float()), "float64 gives torch.float32"),
        "no report": (toy(log_prob=bare), "unexpected keyword argument 'report'"),
    },
    "check_log_prob_inputs": {
        "no conditions": (built(blind), "conditions do nothing"),
        "no targets": (density(lambda v: 0 * v), "targets do nothing"),
    },
    "check_log_prob_gradient": {"detached": (density(lambda v: v.detach()), "there is none")},
    "check_log_prob_options": {
        "swallowed": (toy(log_prob=lambda self, x, c, **_: bare(self, x, c)), "not_an_option=1 was accepted"),
    },
    "check_state": {
        "unsaved": (built(unsaved), "the loaded network gives another loss"),
        "running": (loss(normalised), "the loaded network gives another loss"),
    },
    "check_copy": {"itself": (toy(__deepcopy__=lambda self, memo: self), "the original, once its copy has changed")},
    "check_modes": {
        "counts": (
            built(lambda self: self.register_buffer("calls", torch.zeros(())), loss=counting),
            "it changes calls",
        ),
        "in place": (loss(lambda self, v, x, *_: v + 0 * x.sub_(1.0).sum()), "changes its inputs"),
        "in training": (
            built(lambda self: setattr(self.backbone, "train", lambda mode=True: self)),
            "stays in training",
        ),
    },
    "check_subnet_time": {
        "all refused": (built(refuse), "'required' are refused, and those with 'no' too"),
        "never asked": (toy(__init__=careless), "uses_time='no' is built with time=True"),
    },
    "check_subnet_modules": {"by its width": (built(lambda self: self.config.subnet.width), "an nn.Module, .*width")},
    "check_subnets": {"one width": (built(only_narrow), "sbicore-mlp/mlp, Shapes")},
}
CASES = {f"{check}, {name}": (check, *case) for check, cases in BROKEN.items() for name, case in cases.items()}


@pytest.mark.parametrize(("check", "config", "found"), CASES.values(), ids=CASES)
def test_broken_ones_are_caught(check, config, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_a_sound_one_passes():
    check_component(Toy())


def test_a_network_may_need_conditions(verdict):
    def init(self, config, shapes):
        if shapes.conditions is None:
            raise ConfigError("there is nothing to learn from")
        Gaussian.__init__(self, config, shapes)

    for check in ("check_loss", "check_sample", "check_log_prob", "check_subnet_time", "check_subnets"):
        assert verdict(toy(__init__=init), check).status == "passed"
