"""The field of the posterior given n exchangeable data sets, from that given each of them.

The posteriors of single data sets multiply, but for n - 1 priors too many; so do, at a time t on the straight path, the
laws of the data behind `y = (1 - t) x + t e`, which are taken as normal (arXiv:2404.07593, section 3). Of item k, the
mean is its field's guess `y - t v_k`, and the precision that of its own posterior, `P_k`, and of y,
`b = ((1 - t) / t)²`. The product has the precision `P + b`, `P = sum P_k - (n - 1) P_0`; its mean is the guess whose
field is followed. For normal posteriors and priors this is exact; close to the data, where b outweighs P, it is the sum
of the scores for any.

Where each evaluation takes some of the items, `NormalLaws` stand for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor

from .normal_laws import NormalLaws
from .randomness import rand

__all__ = ["Composition", "Items", "NormalLaws"]

_AT_ONCE = 20_000
"""Rows of one call of the network."""
_CLOSEST = 1e-3
"""Times below are taken as this one: there the field is a limit."""
_LEAST = 0.1
"""Of the eigenvalues of P, in standardised space: no posterior is much wider than the prior."""
_STEP = 1e-2
"""Of the differences of the prior's score that tell its curvature."""

Score = Callable[[Tensor], Tensor]


class Items(NamedTuple):
    """What is known of the data sets of each row.

    Attributes:
        conditions: `(R, n, C)`.
        posteriors: the normal laws nearest to those of single items; None to leave them out.
        prior: score of the prior, `(*, D) -> (*, D)` in double precision; None for the network's own.
        prior_precision: `(D, D)` of the network's own prior.
    """

    conditions: Tensor
    posteriors: NormalLaws | None = None
    prior: Score | None = None
    prior_precision: Tensor | None = None

    def rows(self, rows: Tensor | None) -> Items:
        """These rows alone."""
        if rows is None:
            return self
        posteriors = None if self.posteriors is None else self.posteriors.rows(rows)
        return self._replace(conditions=self.conditions[rows], posteriors=posteriors)


class Composition:
    """A field `(t, y, rows) -> v` for an integrator.

    Args:
        velocity: of single items: `(R, S, *event), t, (R, 1, C), strength -> (R, S, *event)`; strength 0 leaves the
            conditions out.
        items: the data sets.
        options: `sbicore.field_options.CompositionOptions`.
        generator: of the choice of mini-batches, one or one for each row.
    """

    def __init__(
        self,
        velocity: Callable[[Tensor, Tensor, Tensor, float], Tensor],
        items: Items,
        options: Any,
        generator: Generator | Sequence[Generator] | None,
    ) -> None:
        self.velocity, self.items, self.options, self.generator = velocity, items, options, generator
        self.count = items.conditions.shape[1]
        self.taken = min(self.count, options.mini_batch_size or self.count)
        self.calls = self.taken + (items.prior is None)

    def __call__(self, t: Tensor, y: Tensor, rows: Tensor | None) -> Tensor:
        """`(1,) or (r, 1), (r, S, *event), rows -> (r, S, *event)`."""
        items, places = self.items.rows(rows), self._places(rows)
        state = _State(y.double().flatten(2), t.double().clamp_min(_CLOSEST).reshape(-1, 1, 1))
        conditions = items.conditions
        if places is not None:
            conditions = conditions[torch.arange(len(places), device=places.device)[:, None], places]
        each = torch.stack([v.double().flatten(2) for v in self._each(y, t, conditions)], dim=1)
        without = None
        if items.prior is None:
            without = self.velocity(y, t, conditions[:, :1], 0.0).double().flatten(2)
        if items.posteriors is None:
            field = self._summed(state, each, without, items)
        else:
            field = self._multiplied(state, each, without, items, places)
        return field.to(y.dtype).view_as(y)

    def _places(self, rows: Tensor | None) -> Tensor | None:
        """A fresh mini-batch `(r, m)` of each row's items, without replacement; None for all."""
        if self.taken == self.count:
            return None
        whole = self.items.conditions
        places = rand(whole.shape[:2], self.generator, whole).argsort(1)[:, : self.taken]
        return places if rows is None else places[rows]

    def _each(self, y: Tensor, t: Tensor, conditions: Tensor) -> list[Tensor]:
        """The fields given each item, of as many items at a time as memory takes."""
        together = max(1, _AT_ONCE // (y.shape[0] * y.shape[1]))
        found = []
        for part in conditions.split(together, dim=1):
            number = part.shape[1]
            x = y.unsqueeze(1).expand(-1, number, *y.shape[1:]).flatten(0, 1)
            time = t if t.ndim == 1 else t.repeat_interleave(number, dim=0)
            v = self.velocity(x, time, part.flatten(0, 1).unsqueeze(1), 1.0)
            found += v.unflatten(0, (len(y), number)).unbind(1)
        return found

    def _multiplied(
        self, state: _State, each: Tensor, without: Tensor | None, items: Items, places: Tensor | None
    ) -> Tensor:
        """The field of the product of normal laws, about the mean of the items' guesses."""
        y, t = state
        count = self._counted(t)
        power, less = count / self.count, count - 1
        laws: NormalLaws = items.posteriors  # type: ignore[assignment]
        own = laws.precisions.double()
        if places is None:
            middle = each.mean(1)
            pull = -t * torch.einsum("rkij,rksj->rsi", own, each - middle.unsqueeze(1))
        else:
            middle, pull = laws.completed(y, t, each, places)
        pull, precision = power * pull, power.unsqueeze(-1) * own.sum(1).unsqueeze(1)
        if without is not None:
            prior = items.prior_precision.double()  # type: ignore[union-attr]
            apart = without - middle
            pull = pull + less * (t * apart @ prior + state.alpha**2 / t * apart)
            return middle - state.solved(precision - less.unsqueeze(-1) * prior, pull) / t
        away = torch.zeros_like(y)
        pull = pull - less * state.noise_pull(middle)
        for _ in range(2):
            score, curvature = expanded(items.prior, y - t * middle + away)  # type: ignore[arg-type]
            there = pull - less * (score + (curvature @ away.unsqueeze(-1)).squeeze(-1))
            away = state.solved(precision - less.unsqueeze(-1) * curvature, there)
        return middle - away / t

    def _summed(self, state: _State, each: Tensor, without: Tensor | None, items: Items) -> Tensor:
        """The field of the sum of the scores (arXiv:2209.14249, eq. 6), with the prior's score at this noise level."""
        y, t = state
        middle = each.mean(1)
        if without is None:
            away = torch.zeros_like(y)
            for _ in range(2):
                score, curvature = expanded(items.prior, y - t * middle + away)  # type: ignore[arg-type]
                pull = state.noise_pull(middle) + score + (curvature @ away.unsqueeze(-1)).squeeze(-1)
                away = state.solved(curvature, pull)
            without = middle - away / t
        count = self._counted(t)
        return count * middle - (count - 1) * without

    def _counted(self, t: Tensor) -> Tensor:
        """n times `d(t)`: d0 at the data, d1 at the noise (arXiv:2505.14429).

        There the score is multiplied, the prior's and the noise's with it, which no path from the noise follows. Here
        each item's likelihood has the power `d(t)`, so that the prior stays where items count for little.
        """
        options = self.options
        return self.count * options.compositional_bridge_d0 ** (1 - t) * options.compositional_bridge_d1**t


class _State(NamedTuple):
    """Values `(R, S, D)` and times `(R or 1, 1, 1)`."""

    y: Tensor
    t: Tensor

    @property
    def alpha(self) -> Tensor:
        return (1 - self.t).clamp_min(_CLOSEST)

    def noise_pull(self, v: Tensor) -> Tensor:
        """`b (y / alpha - x)` at the guess x of this field."""
        return self.alpha / self.t * (self.y + self.alpha * v)

    def solved(self, precision: Tensor, pull: Tensor) -> Tensor:
        """`(P + b)^-1 pull`, with the eigenvalues of P held above the least."""
        values, vectors = torch.linalg.eigh((precision + precision.mT) / 2)
        total = values.clamp_min(_LEAST) + (self.alpha / self.t) ** 2
        turned = (vectors.mT @ pull.unsqueeze(-1)).squeeze(-1) / total
        return (vectors @ turned.unsqueeze(-1)).squeeze(-1)


def expanded(score: Score, x: Tensor) -> tuple[Tensor, Tensor]:
    """The score at `x (*, D)`, and minus its Jacobian `(*, D, D)` by central differences."""
    size = x.shape[-1]
    steps = _STEP * torch.eye(size, dtype=x.dtype, device=x.device)
    shifts = torch.cat([torch.zeros_like(steps[:1]), steps, -steps])
    values = score(x.unsqueeze(-2) + shifts)
    curvature = (values[..., 1 + size :, :] - values[..., 1 : 1 + size, :]) / (2 * _STEP)
    return values[..., 0, :], (curvature + curvature.mT) / 2
