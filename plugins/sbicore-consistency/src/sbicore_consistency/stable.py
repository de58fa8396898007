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


class StableConsistencyModule(Consistency):
    """The inference network behind `StableConsistencyModel`. See `sbicore.protocols.InferenceNetwork`."""

    warmup_steps: Tensor

    def __init__(self, config: StableConsistencyModel, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        self.register_buffer("warmup_steps", torch.tensor(config.warmup_steps or _WARM_UP))
        self.weight = Backbone(config.weight_mlp, Shapes(target=(1,), time=False, output=1))

    def plan(self, steps: int) -> None:
        """Told by `fit` how many steps it will take; without `warmup_steps` the first fit fixes them.

        Before the unstable part comes in, training is that of a diffusion model. The paper starts from a trained one;
        half of a fit stands for it.
        """
        if self.config.warmup_steps is None and not int(self.step):
            self.warmup_steps.fill_(max(1, steps // 2))

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Squared error against the network itself, moved along its tangent: `(B, *event), (B, C) -> (B,)`.

        Its gradient is that of arXiv:2410.11081, eq. 8; the weight of each time is learnt. The paper divides a tangent
        by its own norm. In few dimensions that leaves hardly more than its direction, and the paths through a point are
        then followed to their median, not to their mean. The size here is an estimate of that norm which does not
        depend on the path through the point, so that the minimum is where it would be without.
        """
        config = self.config
        level = config.noise_dist_mean + config.noise_dist_std * randn(targets.shape[:1], generator, targets)
        t = torch.atan(level.exp() / config.sigma)
        noise = config.sigma * randn(targets.shape, generator, targets)
        probe = randn(targets.shape, generator, targets).sign()
        drops = self.backbone.drops(targets, generator)
        cos, sin = self.wide(t).cos(), self.wide(t).sin()
        x, along = cos * targets + sin * noise, cos * noise - sin * targets
        warm = ((self.counted() + 1) / self.warmup_steps).clamp_max(1.0)
        found, tangent, size = self.tangent(x, along, t, conditions, drops, probe, warm)
        goal = found.detach() + tangent / self.wide(size + config.tangent_norm_eps)
        weight = self.weight(level[:, None])[:, 0]
        return weight.exp() * (found - goal).flatten(1).square().mean(1) - weight

    def tangent(
        self,
        x: Tensor,
        along: Tensor,
        t: Tensor,
        conditions: Tensor | None,
        drops: Any,
        probe: Tensor,
        warm: Tensor | float = 1.0,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """F; `cos(t) df/dt` along the path with the sign that training follows; and the size of that `(B,)`.

        The tangent is `A along + b`, exact, by differentiating the product `probe J` in the probe, in which it is
        linear. For a probe of signs, the square of the size is on average that of the tangent along a direction drawn
        from the noise. `warm` scales the unstable part.
        """
        sigma = self.config.sigma
        cos, sin = self.wide(t).cos(), self.wide(t).sin()
        slope = cos * sin
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            inputs = (x / sigma).detach().requires_grad_(), t.detach().clone().requires_grad_()
            found = self.backbone(*inputs, conditions, **drops)
            probe = probe.clone().requires_grad_()
            by_x, by_t = torch.autograd.grad(found, inputs, probe, create_graph=True)
            moved = (by_x * slope * along).sum() + (by_t * t.cos() * t.sin() * sigma).sum()
            (change,) = torch.autograd.grad(moved, probe, retain_graph=True)
        held, by_x, by_t, probe = found.detach(), by_x.detach(), by_t.detach(), probe.detach()
        tangent = -cos.square() * (sigma * held - along) - warm * (slope * x + change)
        pulled = (cos.square() * probe - warm * slope * by_x).flatten(1).norm(dim=1)
        still = (probe * (cos.square() * sigma * held + warm * slope * x)).flatten(1).sum(1)
        shift = still + warm * t.cos() * t.sin() * sigma * by_t
        return found, tangent, torch.hypot(sigma * pulled, shift)

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
