"""Core's scoring rules: the contract, exact values, order, and what they refuse."""

from __future__ import annotations

import math

import pytest
import torch

import sbicore
from sbicore.errors import ConfigError, UnknownComponentError, UnknownHyperparameterError
from sbicore.scoring_rules import (
    BrierScore,
    LogisticScore,
    MixtureScore,
    MvNormalScore,
    NormedDifferenceScore,
    PolynomialScore,
    QuantileScore,
)
from sbicore.testing import parametrize_conformance

RULES = [
    NormedDifferenceScore(k=1.5),
    QuantileScore(q=[0.9]),
    QuantileScore(q=[0.05, 0.1, 0.2]),
    MixtureScore(components=2),
    PolynomialScore(alpha=1.5),
    PolynomialScore(alpha=3),
    LogisticScore(alpha=1),
]
"""Their examples are asked with all components of core."""


@parametrize_conformance(RULES)
def test_others_than_the_examples_conform(component, check):
    check(component)


def test_quantiles_never_cross():
    raw = {"quantiles": 20 * torch.randn(10_000, 9, 2, generator=torch.Generator().manual_seed(0))}
    rule = QuantileScore(q=[i / 10 for i in range(1, 10)]).build()
    assert (rule.link(raw)["quantiles"].diff(dim=1) >= 0).all()


def test_normal_density_is_that_of_torch():
    generator = torch.Generator().manual_seed(0)
    rule = MvNormalScore().build()
    raw = {name: torch.randn(50, *shape, generator=generator) for name, shape in rule.heads((3,)).items()}
    estimates, x = rule.link(raw), torch.randn(50, 3, generator=generator)
    expected = torch.distributions.MultivariateNormal(estimates["loc"], scale_tril=estimates["scale"]).log_prob(x)
    torch.testing.assert_close(rule.log_prob(estimates, x), expected, rtol=1e-4, atol=1e-4)


def test_brier_is_twice_the_polynomial_of_two_and_one():
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.eye(3)[torch.arange(20) % 3]
    brier, polynomial = (rule.build().score({"logits": logits}, targets) for rule in (BrierScore(), PolynomialScore()))
    torch.testing.assert_close(brier, 2 * polynomial + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: QuantileScore(q=[0.5, 0.1]), "levels must increase"),
        (lambda: QuantileScore(q=[0.1, 0.1]), "levels must increase"),
        (lambda: QuantileScore(q=[0.0, 0.5]), "between 0 and 1"),
        (lambda: QuantileScore(q=[]), "expected a list of levels"),
        (lambda: QuantileScore(q=0.5), "expected a list of levels"),
        (lambda: QuantileScore(q=[math.nan]), "must be finite"),
        (lambda: MixtureScore(components=1), "must be >= 2"),
        (lambda: MixtureScore(component="mean"), "has no density to mix"),
        (lambda: NormedDifferenceScore(k=0.5), "must be >= 1"),
        (lambda: MvNormalScore().build().heads((4, 4)), "targets \\(D,\\)"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ConfigError, match=message):
        make()


def test_rules_are_found_by_name():
    assert {row["name"] for row in sbicore.plugins("scoring_rule")} >= {"mean", "quantile", "brier"}


def test_a_misspelt_rule_by_keyword_is_named():
    with pytest.raises(UnknownComponentError, match="'mv_norml'.*did you mean 'mv_normal'"):
        sbicore.configure("scoring_rule_network", normal="mv_norml")
    with pytest.raises(UnknownHyperparameterError, match="no hyperparameter 'foo'"):
        sbicore.configure("scoring_rule_network", foo="something else")
