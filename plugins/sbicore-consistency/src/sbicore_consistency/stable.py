"""Consistency training in continuous time, on the circle `x_t = cos(t) x + sin(t) z` (arXiv:2410.11081)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from sbicore.backbone import Backbone
from sbicore.randomness import randn
from sbicore.shapes import Shapes

from .base import Consistency

if TYPE_CHECKING:
    from .stable_config import StableConsistencyModel

__all__ = ["StableConsistencyModule"]

_WARM_UP = 1_000
"""Steps, where nobody says how many there will be."""

_jvp: Any = torch.func.jvp


class StableConsistencyModule(Consistency):
    """The inference network behind `StableConsistencyModel`. See `sbicore.protocols.InferenceNetwork`."""

    warmup_steps: Tensor

    def __init__(self, config: StableConsistencyModel, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        self.register_buffer("warmup_steps", torch.tensor(config.warmup_steps or _WARM_UP))
        self.weight = Backbone(config.weight_mlp, Shapes(target=(1,), time=False, output=1))

    def plan(self, steps: int) -> None:
        """Told by `fit` how many steps it will take; without `warmup_steps` the first fit fixes them."""
        if self.config.warmup_steps is None and not int(self.step):
            self.warmup_steps.fill_(max(1, steps // 10))

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Squared error against the network itself, moved along its normalised tangent: `(B, *event), (B, C) -> (B,)`.

        Its gradient is that of arXiv:2410.11081, eq. 8; the weight of each time is learnt.
        """
        config = self.config
        level = config.noise_dist_mean + config.noise_dist_std * randn(targets.shape[:1], generator, targets)
        t = torch.atan(level.exp() / config.sigma)
        noise = config.sigma * randn(targets.shape, generator, targets)
        drops = self.backbone.drops(targets, generator)
        cos, sin = self.wide(t).cos(), self.wide(t).sin()
        x, along = cos * targets + sin * noise, cos * noise - sin * targets
        warm = ((self.counted() + 1) / self.warmup_steps).clamp_max(1.0)
        with torch.no_grad():
            before, tangent = self.tangent(x, along, t, conditions, drops, warm)
            size = tangent.flatten(1).norm(dim=1)
            goal = before + tangent / self.wide(size + config.tangent_norm_eps)
        found = self.backbone(x / config.sigma, t, conditions, **drops)
        weight = self.weight(level[:, None])[:, 0]
        return weight.exp() * (found - goal).flatten(1).square().mean(1) - weight

    def tangent(
        self, x: Tensor, along: Tensor, t: Tensor, conditions: Tensor | None, drops: Any, warm: Tensor | float = 1.0
    ) -> tuple[Tensor, Tensor]:
        """F, and `cos(t) df/dt` along the path with the sign that training follows; `warm` scales its unstable part."""
        sigma = self.config.sigma
        cos, sin = self.wide(t).cos(), self.wide(t).sin()

        def network(x: Tensor, t: Tensor) -> Tensor:
            return self.backbone(x, t, conditions, **drops)

        with sdpa_kernel(SDPBackend.MATH):
            found, change = _jvp(network, (x / sigma, t), (cos * sin * along, t.cos() * t.sin() * sigma))
        return found, -cos.square() * (sigma * found - along) - warm * (cos * sin * x + change)

    def times(self, options: Any) -> list[float]:
        """Pi / 2 at first, then falling at an exponential rate."""
        half, steps = math.pi / 2, options.steps
        return [half * math.exp(-half * options.rho * (1 - j / steps)) for j in range(steps, 0, -1)]

    def noised(self, x: Tensor, noise: Tensor, t: float) -> Tensor:
        """See `Consistency`."""
        return math.cos(t) * x + math.sin(t) * self.config.sigma * noise

    def denoised(self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float) -> Tensor:
        """See `Consistency`."""
        sigma = self.config.sigma
        found = self.backbone.guided(x / sigma, t, conditions, strength)
        return self.wide(t).cos() * x - self.wide(t).sin() * sigma * found
