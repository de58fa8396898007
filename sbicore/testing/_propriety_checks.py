"""Whether a scoring rule rewards the truth, and whether a parametric one is the distribution that it says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ..randomness import generator_for
from ._check import Check, NotApplicable, only, require
from ._density import COUNT, LARGE, require_line, require_plane
from ._rule_checks import RuleCase, expanded, rule_cases

__all__ = ["CHECKS"]

DRAWS = 20_000
PARTS = (0.03, 0.1, 0.3, 1.0)
DIRECTIONS = 12


def worlds(case: RuleCase) -> Iterator[tuple[str, Tensor]]:
    """Draws `(N, *event)` of known distributions, skewed and dependent."""
    generator, shape = generator_for(7), (DRAWS, *case.event)
    if case.one_hot:
        odds = torch.arange(1.0, case.event[0] + 1).expand(DRAWS, -1)
        yield "unequal classes", torch.eye(case.event[0]).double()[odds.multinomial(1, generator=generator)[:, 0]]
        return
    size = case.event[-1]
    mix = torch.tril(torch.ones(size, size)).double()
    uniform = torch.rand(shape, generator=generator).double()
    normal = torch.randn(shape, generator=generator).double()
    yield "exponentials", -torch.log1p(-uniform) @ mix.T + 1
    yield "log normals", (0.6 * normal @ mix.T).exp() - 2
    yield "two clusters", torch.where(uniform[:, :1] < 0.23, 2.0, -1.0) + normal @ mix.T


def check_proper(config: Any) -> None:
    """The mean score is lowest at the truth: at `summarize(draws)`, and for draws of a parametric rule at its own."""
    truths = list(_truths(config))
    if not truths:
        raise NotApplicable("it has no `summarize(draws)` and no `sample`, so that its truth is not known")
    for where, case, truth, draws in truths:
        worse = [_excess(case, truth, draws, seed, where) for seed in range(DIRECTIONS)]
        require(
            sum(worse) > DIRECTIONS / 2,
            f"{where}: of {DIRECTIONS} other estimates only {sum(worse)} score worse than the truth",
        )


def _truths(config: Any) -> Iterator[tuple[str, RuleCase, dict[str, Tensor], Tensor]]:
    """What is scored, the case, true estimates without leading axes, and draws."""
    for case in rule_cases(config):
        if hasattr(case.rule, "summarize"):
            for name, draws in worlds(case):
                yield f"{case}, {name}", case, case.rule.summarize(draws), draws
        if "sample" in config.capabilities:
            for seed in (11, 12):
                truth = _linked(case, seed, 0.7)
                draws = case.rule.sample((DRAWS,), expanded(truth, DRAWS), generator=generator_for(seed))
                yield f"{case}, its own draws", case, truth, draws.detach()


def _excess(case: RuleCase, truth: Mapping[str, Tensor], draws: Tensor, seed: int, where: str) -> bool:
    """Whether estimates drawn at random score clearly worse; raises where a mixture with the truth scores better.

    Scores are compared draw by draw, so that what they share cancels.
    """
    other = _linked(case, seed, 1.5)
    base = case.rule.score(expanded(truth, DRAWS), draws)
    clearly = False
    for part in PARTS:
        mixed = {name: torch.lerp(truth[name], other[name], part) for name in truth}
        gap = (case.rule.score(expanded(mixed, DRAWS), draws) - base).detach()
        mean, margin = float(gap.mean()), LARGE * float(gap.std()) / math.sqrt(DRAWS)
        require(
            mean >= -margin - 1e-9,
            f"{where}: estimates {part:.0%} away from the truth score better, by {-mean:.2g} (chance: {margin:.1g})",
        )
        clearly = mean > margin
    return clearly


def _linked(case: RuleCase, seed: int, scale: float) -> dict[str, Tensor]:
    """Valid estimates without leading axes."""
    linked = case.rule.link(case.raw(1, scale, seed=100 + seed))
    return {name: value[0].detach() for name, value in linked.items()}


def check_sampling(config: Any) -> None:
    """`sample(shape, estimates)` gives finite draws of each row's estimates, all from `generator`."""
    for case in rule_cases(config):
        estimates = case.rule.link(case.raw(5))

        def draw(seed: int, case: RuleCase = case, estimates: Any = estimates) -> Tensor:
            return case.rule.sample((5,), estimates, generator=generator_for(seed))

        draws = draw(1)
        require(draws.shape == (5, *case.event), f"{case}: expected {(5, *case.event)}, got {tuple(draws.shape)}")
        require(draws.isfinite().all(), f"{case}: draws are not finite")
        require(draws.dtype == torch.float64, f"{case}: estimates in float64 give {draws.dtype}")
        require(torch.equal(draws, draw(1)), f"{case}: the same generator gives other draws")
        require(not torch.equal(draws, draw(2)), f"{case}: another generator gives the same draws")
        values = case.rule.log_prob(estimates, draws)
        require(values.shape == (5,), f"{case}: log_prob: expected (5,), got {tuple(values.shape)}")


def check_density(config: Any) -> None:
    """`log_prob` integrates to one and is the density of `sample`, in one dimension and in two."""
    for case in rule_cases(config, (1,), (2,)):
        for seed in (1, 2, 3):
            truth = _linked(case, seed, 1.0)
            draws = case.rule.sample((COUNT,), expanded(truth, COUNT), generator=generator_for(seed))

            def log_prob(x: Tensor, case: RuleCase = case, truth: Any = truth) -> Tensor:
                return case.rule.log_prob(expanded(truth, len(x)), x)

            (require_line if case.event == (1,) else require_plane)(log_prob, draws)


@only(lambda config: "log_score" in config.capabilities)
def check_log_score(config: Any) -> None:
    """With the capability `log_score` the score is `-log_prob`."""
    for case in rule_cases(config):
        estimates, targets = case.rule.link(case.raw()), case.targets()
        gap = case.rule.score(estimates, targets) + case.rule.log_prob(estimates, targets)
        require((gap.abs() < 1e-9).all(), f"{case}: they differ by {float(gap.abs().max()):.2g}")


_of_parametric = only(lambda config: {"sample", "log_prob"} <= config.capabilities)

CHECKS: tuple[Check, ...] = (check_proper, *map(_of_parametric, (check_sampling, check_density)), check_log_score)
