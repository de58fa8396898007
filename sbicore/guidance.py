"""A backbone that has also learnt to do without its conditions, or with some of the targets given."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor

from .backbone import Backbone
from .errors import ConfigError, InvalidComponentError
from .randomness import rand
from .shapes import Shapes

__all__ = ["GuidedBackbone"]


class GuidedBackbone(Backbone):
    """A backbone trained with some of its inputs left out, so that they may be left out later.

    Conditions that are dropped reach the subnet as zeros beside a feature which says so, and so are unlike any
    observed value, as classifier-free guidance needs (arXiv:2207.12598). Targets that are given reach it clean, beside
    a mask that tells them from those to be inferred. Either adds features to the subnet's input, and only where its
    probability is not 0.

    Args:
        subnet: config of the subnet.
        shapes: as of `Backbone`.
        drop_cond_prob: probability with which a training row loses its conditions.
        drop_target_prob: probability with which a coordinate of a training row is given.

    Raises:
        ConfigError: as `Backbone`; or there are no conditions to drop.
    """

    def __init__(
        self, subnet: Any, shapes: Shapes, *, drop_cond_prob: float = 0.0, drop_target_prob: float = 0.0
    ) -> None:
        if drop_cond_prob and shapes.conditions is None:
            raise ConfigError(
                f"drop_cond_prob={drop_cond_prob} drops conditions, and there are none\nLeave it out."
            ).within("drop_cond_prob")
        *axes, features = shapes.target
        target = (*axes, 2 * features if drop_target_prob else features)
        conditions = shapes.conditions
        if drop_cond_prob and conditions is not None:
            conditions = (*conditions[:-1], conditions[-1] + 1)
        inner = Shapes(target=target, conditions=conditions, time=shapes.time, output=shapes.output or features)
        try:
            super().__init__(subnet, inner)
        except InvalidComponentError as error:
            added = ["drop_target_prob doubles the features of x"] if drop_target_prob else []
            added += ["drop_cond_prob adds a feature to the conditions"] if drop_cond_prob else []
            if not added:
                raise
            first, *rest = error.message.split("\n")
            raise InvalidComponentError("\n".join([first, f"Here {' and '.join(added)}.", *rest])) from error
        self.rank = len(shapes.conditions or ())
        self.drop_cond_prob, self.drop_target_prob = drop_cond_prob, drop_target_prob

    def forward(
        self,
        x: Tensor,
        t: Tensor | None = None,
        conditions: Tensor | None = None,
        *,
        dropped: Tensor | None = None,
        given: Tensor | None = None,
    ) -> Tensor:
        """`(*, *event), (*), (*, *conditions) -> (*, *event)`.

        Args:
            x: targets on their way; where they are given, their values.
            t: time.
            conditions: conditions.
            dropped: `(*)`, True where the conditions are left out; by default nowhere.
            given: `(*, *event)`, True where a target is given; by default nowhere.
        """
        if self.drop_target_prob:
            mask = torch.zeros_like(x) if given is None else given.to(x.dtype).expand_as(x)
            x = torch.cat([x, mask], dim=-1)
        if self.drop_cond_prob and conditions is not None:
            lead = conditions.shape[: conditions.ndim - self.rank]
            out = conditions.new_zeros(lead) if dropped is None else dropped.to(conditions.dtype).expand(lead)
            out = out.reshape(*lead, *[1] * self.rank)
            conditions = torch.cat([conditions * (1 - out), out.expand(*conditions.shape[:-1], 1)], dim=-1)
        return super().forward(x, t, conditions)

    def guided(
        self, x: Tensor, t: Tensor | None, conditions: Tensor | None, strength: float, given: Tensor | None = None
    ) -> Tensor:
        """The output without conditions, moved by `strength` times the difference that they make."""
        if strength == 1.0 or conditions is None:
            return self(x, t, conditions, given=given)
        without = self(x, t, conditions, dropped=torch.ones((), device=x.device), given=given)
        if strength == 0.0:
            return without
        return torch.lerp(without, self(x, t, conditions, given=given), strength)

    def drops(self, targets: Tensor, generator: Generator | None) -> dict[str, Tensor]:
        """What a batch of training rows loses: arguments of `forward`, drawn at random.

        Each coordinate is given on its own; where all would be, the highest draw is inferred.
        """
        chosen = {}
        if self.drop_cond_prob:
            chosen["dropped"] = rand(targets.shape[:1], generator, targets) < self.drop_cond_prob
        if self.drop_target_prob:
            level = rand(targets.shape, generator, targets).flatten(1)
            given = (level < self.drop_target_prob) & (level < level.amax(1, keepdim=True))
            chosen["given"] = given.view_as(targets)
        return chosen

    def require_guidance(self, strength: float) -> None:
        """Raise ConfigError where a strength other than 1 is asked of a backbone that never lost its conditions."""
        if strength != 1.0 and not self.drop_cond_prob:
            raise ConfigError(
                f"guidance_strength={strength} needs a network that was trained without conditions, too\n"
                "Build and train it with drop_cond_prob, for instance 0.1."
            ).within("guidance_strength")
