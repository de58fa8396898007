"""The module of both networks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from sbicore.backbone import Backbone
from sbicore.randomness import rand
from sbicore.shapes import Shapes

__all__ = ["ScoringRuleModule"]


class ScoringRuleModule(nn.Module):
    """One body, one linear head for all rules together, whose output each rule's link turns into its estimates.

    Without conditions the raw outputs are parameters.

    Args:
        config: with `rules`, configs of scoring rules by name, and the `subnet` of the body.
        shapes: target and conditions.
    """

    def __init__(self, config: Any, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        rules: Mapping[str, Any] = config.rules
        self.event = shapes.target
        self.rules = {name: rule.build() for name, rule in rules.items()}
        self.parametric = [name for name, rule in rules.items() if {"sample", "log_prob"} <= rule.capabilities]
        self.heads = [
            (name, head, shape)
            for name, rule in self.rules.items()
            for head, shape in rule.heads(shapes.target).items()
        ]
        total = sum(math.prod(shape) for *_, shape in self.heads)
        self.backbone = self.raw = None
        if shapes.conditions is None:
            self.raw = nn.Parameter(0.1 * torch.randn(total))
        else:
            self.backbone = Backbone(config.subnet, Shapes(target=shapes.conditions, output=total))
            nn.init.xavier_uniform_(self.backbone.head.weight)

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Mean over the rules of their scores: `(B, *event), (B, C) -> (B,)`."""
        estimates = self.estimate(conditions, rows=len(targets))
        scores = [rule.score(estimates[name], targets) for name, rule in self.rules.items()]
        return torch.stack(scores).mean(0)

    def estimate(self, conditions: Tensor | None, *, rows: int = 1) -> dict[str, dict[str, Tensor]]:
        """`(R, C) -> {rule: {statistic: (R, ...)}}`; `rows` of them where there are no conditions."""
        raw = self._raw(conditions, rows)
        parts: dict[str, dict[str, Tensor]] = {name: {} for name in self.rules}
        split = raw.split([math.prod(shape) for *_, shape in self.heads], dim=-1)
        for (name, head, shape), part in zip(self.heads, split, strict=True):
            parts[name][head] = part.reshape(len(raw), *shape)
        return {name: rule.link(parts[name]) for name, rule in self.rules.items()}

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` for `conditions (R, 1, C)`, of several parametric rules from each as often."""
        self.config.sample_options(**options)
        estimates = self.estimate(None if conditions is None else conditions.squeeze(1), rows=shape[0])
        draws = [
            self.rules[name].sample(
                shape, {key: v.unsqueeze(1) for key, v in estimates[name].items()}, generator=generator
            )
            for name in self.parametric
        ]
        if report is not None:
            report["evaluations"] = torch.ones(shape[0])
            report["steps"] = torch.ones(shape[0])
        if len(draws) == 1:
            return draws[0]
        chosen = (rand(shape, generator, draws[0]) * len(draws)).long().clamp_max(len(draws) - 1)
        index = chosen.view(1, *chosen.shape, *[1] * len(self.event)).expand(1, *draws[0].shape)
        return torch.stack(draws).gather(0, index)[0]

    def log_prob(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
    ) -> Tensor:
        """Log density `(R, *, *event), (R, *, C) -> (R, *)` of the parametric rules, equally mixed."""
        lead = targets.shape[: targets.ndim - len(self.event)]
        flat = targets.reshape(-1, *self.event)
        if conditions is not None:
            conditions = conditions.expand(*lead, conditions.shape[-1]).reshape(len(flat), -1)
        estimates = self.estimate(conditions, rows=len(flat))
        values = torch.stack([self.rules[name].log_prob(estimates[name], flat) for name in self.parametric])
        if report is not None:
            report["evaluations"] = torch.ones(lead[0])
            report["steps"] = torch.ones(lead[0])
        return (torch.logsumexp(values, 0) - math.log(len(values))).reshape(lead)

    def _raw(self, conditions: Tensor | None, rows: int) -> Tensor:
        if self.backbone is None or conditions is None:
            if self.raw is None:
                raise TypeError("conditions are missing")
            return self.raw.expand(rows, -1)
        found: Tensor = self.backbone(conditions)
        return found
