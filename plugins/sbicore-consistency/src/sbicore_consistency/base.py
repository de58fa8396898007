"""What both consistency models share: draws by repeated evaluations, and a backbone that takes guidance."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from sbicore.guidance import GuidedBackbone
from sbicore.randomness import randn
from sbicore.shapes import Shapes

__all__ = ["Consistency"]


class Consistency(nn.Module):
    """A network f that leads from a noisy value at any time to its data. See `sbicore.protocols.InferenceNetwork`.

    The loss measures how far f moves at a step: it says nothing of how good f is, and is smallest before training.
    """

    comparable_losses = False
    step: Tensor

    def __init__(self, config: Any, shapes: Shapes) -> None:
        super().__init__()
        self.config, self.event = config, shapes.target
        self.backbone = GuidedBackbone(
            config.subnet,
            Shapes(target=shapes.target, conditions=shapes.conditions, time=True),
            drop_cond_prob=config.drop_cond_prob,
        )
        self.register_buffer("step", torch.zeros((), dtype=torch.long))

    @abstractmethod
    def times(self, options: Any) -> list[float]:
        """Falling times of the evaluations of a draw; at the first there is noise alone."""

    @abstractmethod
    def noised(self, x: Tensor, noise: Tensor, t: float) -> Tensor:
        """Data with this noise at this time; at the first time the noise alone."""

    @abstractmethod
    def denoised(self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float) -> Tensor:
        """f: `(R, S, *event), (1,), (R, 1, C) -> (R, S, *event)`."""

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` for `conditions (R, 1, C)` (arXiv:2303.01469, algorithm 1)."""
        given = self.config.sample_options(**options)
        strength = given.guidance_strength
        self.backbone.require_guidance(strength)
        whole, like = (*shape, *self.event), self.backbone.head.weight
        x = torch.zeros(whole, dtype=like.dtype, device=like.device)
        for t in self.times(given):
            x = self.noised(x, randn(whole, generator, like), t)
            x = self.denoised(x, torch.full((1,), t, dtype=x.dtype, device=x.device), conditions, strength)
        if report is not None:
            report["steps"] = torch.full((shape[0],), given.steps)
            report["evaluations"] = report["steps"] * (1 if strength in (0.0, 1.0) else 2)
        return x

    def counted(self) -> Tensor:
        """How many training steps came before; in training this one is counted."""
        before: Tensor = self.step.clone()
        if self.training:
            self.step += 1
        return before

    def wide(self, t: Tensor) -> Tensor:
        """Times `(B,)` or `(1,)` beside events."""
        return t.reshape(*t.shape, *[1] * len(self.event))
