"""The checks of scoring rules pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import pytest
import torch
from torch.nn.functional import softplus

from sbicore.config import ScoringRuleConfig, frozen
from sbicore.errors import ConfigError
from sbicore.randomness import generator_for
from sbicore.testing import check_component

PARAMETRIC = frozenset({"sample", "log_prob", "log_score"})
TRUTHS = frozenset({"sample", "log_prob"})


class Mean:
    """Squared error."""

    def heads(self, target):
        return {"value": target}

    def link(self, raw):
        return dict(raw)

    def score(self, estimates, targets):
        return (targets - estimates["value"]).square().flatten(1).mean(1)

    def summarize(self, draws):
        return {"value": draws.mean(0)}


class Quantiles:
    """The pinball loss at two levels; estimates are ordered."""

    levels = (0.1, 0.7)

    def heads(self, target):
        return {"value": (2, *target)}

    def link(self, raw):
        low, step = raw["value"].unbind(1)
        return {"value": torch.stack([low, low + softplus(step)], 1)}

    def score(self, estimates, targets):
        gap = targets.unsqueeze(1) - estimates["value"]
        level = gap.new_tensor(self.levels).reshape(-1, *[1] * (targets.ndim - 1))
        return self.loss(level, gap).flatten(1).mean(1)

    def loss(self, level, gap):
        return torch.maximum(level * gap, (level - 1) * gap)

    def summarize(self, draws):
        return {"value": draws.quantile(draws.new_tensor(self.levels), 0)}


class Normal:
    """The log score of a normal distribution with a dense covariance, given by the factor of its precision."""

    def heads(self, target):
        if len(target) != 1:
            raise ConfigError("only vectors")
        return {"mean": target, "factor": (*target, *target)}

    def link(self, raw):
        factor = raw["factor"].tril(-1) + torch.diag_embed(softplus(raw["factor"].diagonal(0, -2, -1)) + 1e-3)
        return {"mean": raw["mean"], "factor": factor}

    def log_prob(self, estimates, targets):
        factor = estimates["factor"]
        z = (factor @ (targets - estimates["mean"]).unsqueeze(-1)).squeeze(-1)
        return factor.diagonal(0, -2, -1).log().sum(-1) - 0.5 * (z.square() + math.log(2 * math.pi)).sum(-1)

    def score(self, estimates, targets):
        return -self.log_prob(estimates, targets)

    def sample(self, shape, estimates, *, generator=None):
        mean, factor = estimates["mean"], estimates["factor"]
        z = torch.randn((*shape, mean.shape[-1], 1), generator=generator, dtype=mean.dtype)
        return mean + torch.linalg.solve(self.turned(factor), z).squeeze(-1)

    def turned(self, factor):
        return factor

    def summarize(self, draws):
        factor = torch.linalg.cholesky(torch.cov(draws.T).reshape(2 * draws.shape[1:])).inverse()
        return {"mean": draws.mean(0), "factor": factor}


class Classes:
    """Cross entropy of probabilities."""

    def heads(self, target):
        return {"logits": target}

    def link(self, raw):
        return {"probabilities": raw["logits"].softmax(-1)}

    def score(self, estimates, targets):
        return -(targets * estimates["probabilities"].log()).sum(-1)

    def summarize(self, draws):
        return {"probabilities": draws.mean(0)}


@frozen(kw_only=True)
class Toy(ScoringRuleConfig):
    """A rule."""

    name: ClassVar[str] = "toy"
    rule: ClassVar[Any] = Mean

    def build(self):
        return self.rule()


def config_of(rule, **facts):
    found = {"capabilities": PARAMETRIC} if issubclass(rule, Normal) else {}
    found |= {"targets": "one_hot"} if issubclass(rule, Classes) else {}
    return frozen(kw_only=True)(type("Toy", (Toy,), {"rule": rule, "__doc__": "A rule.", **found, **facts}))()


def mutant(base, facts=None, **members):
    return config_of(type("Mutant", (base,), members), **(facts or {}))


def absolute(self, estimates, targets):
    return (targets - estimates["value"]).abs().flatten(1).mean(1)


def without_log_det(self, estimates, targets):
    z = (estimates["factor"] @ (targets - estimates["mean"]).unsqueeze(-1)).squeeze(-1)
    return 0.5 * z.square().sum(-1)


def exponential(self, raw):
    return {"value": (10 * raw["value"]).exp()}


def wrong_sign(self, level, gap):
    return torch.maximum((1 - level) * gap, -level * gap)


def linear(self, estimates, targets):
    """The probability of what happened: the linear score, which is not proper."""
    return -(targets * estimates["probabilities"]).sum(-1)


def centred(self, estimates, targets):
    return Mean.score(self, estimates, targets - targets.mean(0))


def with_idle_head(self, target):
    return {"value": target, "idle": target}


def own_noise(self, shape, estimates, *, generator=None):
    return Normal.sample(self, shape, estimates)


def fixed_noise(self, shape, estimates, *, generator=None):
    return Normal.sample(self, shape, estimates, generator=generator_for(1))


def drawn(change):
    """Draws with something done to them."""
    return lambda self, *args, **options: change(Normal.sample(self, *args, **options))


def refuse(self, target):
    raise ConfigError("never")


def on_the_cpu(self, estimates, targets):
    return Mean.score(self, estimates, targets) + torch.ones(len(targets), dtype=targets.dtype, device="cpu")


BROKEN = {
    "a method is missing": (
        config_of(type("Mutant", (), {"heads": None, "score": None})),
        "check_methods",
        "has no link",
    ),
    "capability without method": (mutant(Mean, {"capabilities": TRUTHS}), "check_methods", "sample is not"),
    "method without capability": (
        mutant(Normal, {"capabilities": frozenset()}),
        "check_methods",
        "capabilities are .., sample is there",
    ),
    "unknown targets": (mutant(Mean, {"targets": "words"}), "check_methods", "targets is 'words'"),
    "no heads": (mutant(Mean, heads=lambda self, target: {}), "check_heads", r"targets \(3,\): got \{\}"),
    "sizes that are none": (mutant(Mean, heads=lambda self, target: {"value": 3}), "check_heads", "'value' is 3"),
    "no targets fit": (mutant(Mean, heads=refuse), "check_heads", r"takes no targets of shape \(3,\) or \(1,\)"),
    "no estimates": (mutant(Mean, link=lambda self, raw: {}), "check_link", "there are no estimates"),
    "link overflows": (mutant(Mean, link=exponential), "check_link", "value is not finite for raw outputs of size 30"),
    "link in float32": (
        mutant(Mean, link=lambda self, raw: {"value": raw["value"].float()}),
        "check_link",
        "float64 gives value in torch.float32",
    ),
    "link loses rows": (
        mutant(Mean, link=lambda self, raw: {"value": raw["value"].mean(0)}),
        "check_link",
        r"value has shape \(3,\) for 7 rows",
    ),
    "link mixes rows": (
        mutant(Mean, link=lambda self, raw: {"value": raw["value"] + raw["value"].mean(0)}),
        "check_link",
        "a row of value depends on its neighbours",
    ),
    "one score for all": (
        mutant(Mean, score=lambda self, *given: Mean.score(self, *given).mean()),
        "check_score",
        r"expected shape \(1,\), got \(\)",
    ),
    "score in float32": (
        mutant(Mean, score=lambda self, *given: Mean.score(self, *given).float()),
        "check_score",
        "float64 gives torch.float32",
    ),
    "score mixes rows": (mutant(Mean, score=centred), "check_score", "a row depends on its neighbours"),
    "score without targets": (
        mutant(Mean, score=lambda self, estimates, targets: Mean.score(self, estimates, 0 * targets)),
        "check_score",
        "the targets have no effect",
    ),
    "score not finite": (
        mutant(Mean, score=lambda self, *given: (99 * Mean.score(self, *given)).exp()),
        "check_score",
        "it is not finite",
    ),
    "idle head": (mutant(Mean, heads=with_idle_head), "check_gradients", "none reaches idle"),
    "cut off": (
        mutant(Mean, link=lambda self, raw: {"value": raw["value"].sign() + 0 * raw["value"]}),
        "check_gradients",
        "none reaches value",
    ),
    "gradient not a number": (
        mutant(Mean, link=lambda self, raw: {"value": raw["value"] + 0 * (raw["value"] - raw["value"]).sqrt()}),
        "check_gradients",
        "at value it is not finite",
    ),
    "values on the cpu": (
        mutant(Mean, score=lambda self, estimates, targets: torch.zeros(len(targets))),
        "check_device",
        "numbers on meta give cpu",
    ),
    "tensor made on the cpu": (mutant(Mean, score=on_the_cpu), "check_device", r"targets \(3,\): on the device meta"),
    "summary of another shape": (
        mutant(Mean, summarize=lambda self, draws: {"value": draws.mean(0, keepdim=True)}),
        "check_summarize",
        r"expected {'value': \(3,\)}, got {'value': \(1, 3\)}",
    ),
    "summary not finite": (
        mutant(Mean, summarize=lambda self, draws: {"value": draws.mean(0) / 0}),
        "check_summarize",
        "estimates are not finite",
    ),
    "absolute error for the mean": (mutant(Mean, score=absolute), "check_proper", "exponentials: .* score better"),
    "level of the other side": (mutant(Quantiles, loss=wrong_sign), "check_proper", "score better"),
    "no log determinant": (
        mutant(Normal, {"capabilities": TRUTHS}, score=without_log_det),
        "check_proper",
        "score better",
    ),
    "linear score": (mutant(Classes, score=linear), "check_proper", "unequal classes: .* score better"),
    "constant score": (
        mutant(Mean, score=lambda self, *given: 0 * Mean.score(self, *given)),
        "check_proper",
        "of 12 other estimates only 0 score worse",
    ),
    "noise of its own": (mutant(Normal, sample=own_noise), "check_sampling", "the same generator gives other draws"),
    "draws for ever the same": (
        mutant(Normal, sample=fixed_noise),
        "check_sampling",
        "another generator gives the same",
    ),
    "draws of another shape": (mutant(Normal, sample=drawn(lambda x: x[None])), "check_sampling", r"got \(1, 5, 3\)"),
    "draws not finite": (mutant(Normal, sample=drawn(lambda x: x / 0)), "check_sampling", "draws are not finite"),
    "draws in float32": (mutant(Normal, sample=drawn(lambda x: x.float())), "check_sampling", "give torch.float32"),
    "one density for all": (
        mutant(Normal, log_prob=lambda self, *given: Normal.log_prob(self, *given).sum()),
        "check_sampling",
        r"log_prob: expected \(5,\), got \(\)",
    ),
    "constants dropped": (
        mutant(Normal, log_prob=lambda self, *given: Normal.log_prob(self, *given) + 0.1),
        "check_density",
        r"in one dimension the density integrates to 1\.10",
    ),
    "draws too wide": (
        mutant(Normal, turned=lambda self, factor: 0.8 * factor),
        "check_density",
        "in one dimension the share of draws",
    ),
    "draws turned": (
        mutant(Normal, turned=lambda self, factor: factor.mT),
        "check_density",
        "in two dimensions draws and density",
    ),
    "not the log score": (
        mutant(Normal, score=lambda self, *given: 2 * Normal.score(self, *given)),
        "check_log_score",
        "they differ by",
    ),
}


@pytest.mark.parametrize("rule", [Mean, Quantiles, Normal, Classes])
def test_sound_ones_pass(rule):
    check_component(config_of(rule))


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_a_parametric_rule_is_scored_on_its_own_draws(verdict):
    class Bare(Normal):
        summarize = property()

    assert verdict(config_of(Bare, capabilities=TRUTHS), "check_proper").status == "passed"
    Bare.score = without_log_det
    result = verdict(config_of(Bare, capabilities=TRUTHS), "check_proper")
    assert "its own draws" in result.found and result.status == "failed"


def test_a_rule_whose_truth_is_unknown_is_left_alone(verdict):
    class Bare(Mean):
        summarize = property()

    result = verdict(config_of(Bare), "check_proper")
    assert result.status == "skipped"
    assert result.found.startswith("it has no `summarize(draws)` and no `sample`")


@pytest.mark.parametrize("level", [0.05, 0.2, 0.23, 0.77, 0.8, 0.81])
def test_a_quantile_of_any_level_is_proper(level, verdict):
    def score(self, estimates, targets):
        gap = targets - estimates["value"]
        return torch.maximum(level * gap, (level - 1) * gap).flatten(1).mean(1)

    rule = mutant(Mean, score=score, summarize=lambda self, draws: {"value": draws.quantile(level, 0)})
    assert verdict(rule, "check_proper").status == "passed"
