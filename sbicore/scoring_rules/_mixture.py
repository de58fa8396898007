"""A mixture of a parametric rule's distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Generator, Tensor

from ..randomness import rand

__all__ = ["MixtureRule"]


class MixtureRule:
    """`log p = logsumexp_k(log w_k + log p_k)`; statistics of the components have an axis of K before their own.

    Args:
        component: a rule with `log_prob` and `sample`.
        count: K.
    """

    def __init__(self, component: Any, count: int) -> None:
        self.component, self.count = component, count
        self.statistics = {"logits": "free", **component.statistics}

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Those of the component K times, and K logits of the weights."""
        heads = self.component.heads(target)
        return {"logits": (self.count,), **{name: (self.count, *shape) for name, shape in heads.items()}}

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The component's own link for each."""
        flat = {name: value.flatten(0, 1) for name, value in raw.items() if name != "logits"}
        linked = {name: value.unflatten(0, (-1, self.count)) for name, value in self.component.link(flat).items()}
        return {"logits": raw["logits"], **linked}

    def log_prob(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        parts = {name: value.flatten(0, 1) for name, value in estimates.items() if name != "logits"}
        each = self.component.log_prob(parts, targets.repeat_interleave(self.count, 0)).unflatten(0, (-1, self.count))
        return torch.logsumexp(estimates["logits"].log_softmax(-1) + each, -1)

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """Minus the log density."""
        return -self.log_prob(estimates, targets)

    def sample(
        self,
        shape: Sequence[int],
        estimates: Mapping[str, Tensor],
        *,
        generator: Generator | Sequence[Generator] | None = None,
    ) -> Tensor:
        """`(*shape, *event)`: a component by its weight, then a draw of it."""
        logits = estimates["logits"]
        edges = logits.softmax(-1).cumsum(-1)[..., :-1]
        chosen = (rand((*shape, 1), generator, logits) > edges).sum(-1)
        picked = {name: _at(value, chosen, len(shape)) for name, value in estimates.items() if name != "logits"}
        drawn: Tensor = self.component.sample(shape, picked, generator=generator)
        return drawn


def _at(value: Tensor, chosen: Tensor, lead: int) -> Tensor:
    """The chosen entry of the axis after the leading ones: `(*lead, K, ...), (*shape) -> (*shape, ...)`."""
    value = value.expand(*chosen.shape, *value.shape[lead:])
    index = chosen.view(*chosen.shape, *[1] * (value.ndim - lead)).expand(*chosen.shape, 1, *value.shape[lead + 1 :])
    return value.gather(lead, index).squeeze(lead)
