"""Consistency training on a curriculum of ever finer noise levels (arXiv:2303.01469, arXiv:2310.14189)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor

from sbicore.errors import ConfigError
from sbicore.randomness import rand, randn
from sbicore.shapes import Shapes

from .base import Consistency

if TYPE_CHECKING:
    from .config import ConsistencyModel

__all__ = ["ConsistencyModule"]

_FEW = 0.3
"""Over the root of the dimension, the width of the pseudo-Huber loss where dimensions are few. Below its width the loss
is a square, which learns means; far above it is a norm, which learns medians, and with few dimensions these differ."""
_MANY = 0.00054
"""Times the root of the dimension, the width of arXiv:2310.14189, section 3.3, for images; more than the other from 556
values on."""


class ConsistencyModule(Consistency):
    """The inference network behind `ConsistencyModel`. See `sbicore.protocols.InferenceNetwork`."""

    total_steps: Tensor

    def __init__(self, config: ConsistencyModel, shapes: Shapes) -> None:
        super().__init__(config, shapes)
        self.register_buffer("total_steps", torch.tensor(config.total_steps or 0))
        self.low, self.high = config.eps ** (1 / config.rho), config.max_time ** (1 / config.rho)
        root = math.sqrt(math.prod(self.event))
        self.huber_c = config.huber_c or max(_FEW / root, _MANY * root)
        self.doublings = math.log2(config.s1 // config.s0) + 1

    def plan(self, steps: int) -> None:
        """Told by `fit` how many steps it will take; without `total_steps` the first fit fixes the curriculum.

        Raises:
            ConfigError: more steps than are left of `total_steps`, or too few for the curriculum.
        """
        config, done = self.config, int(self.step)
        if config.total_steps is None:
            if not done:
                self.total_steps.fill_(steps)
            return
        if done + steps > config.total_steps:
            raise ConfigError(
                f"total_steps={config.total_steps} of the curriculum, of which {done} are done, and {steps} are "
                "asked for\n"
                f"Give fit(steps={max(1, config.total_steps - done)}), or build without total_steps."
            ).within("total_steps")

    def intervals(self, step: Tensor) -> Tensor:
        """How many intervals of noise levels there are at this step (arXiv:2310.14189, section 3.4)."""
        stage = (self.total_steps / self.doublings).floor().clamp_min(1)
        return (self.config.s0 * 2.0 ** (step / stage).floor()).clamp_max(self.config.s1)

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Distance of neighbours on a path after f, over their distance in time: `(B, *event), (B, C) -> (B,)`."""
        config = self.config
        count = self.intervals(self.counted())
        ends = torch.tensor([config.eps, config.max_time], dtype=targets.dtype, device=targets.device).log()
        share = torch.special.ndtr((ends - config.noise_dist_mean) / config.noise_dist_std)
        u = share[0] + (share[1] - share[0]) * rand(targets.shape[:1], generator, targets)
        level = (config.noise_dist_mean + config.noise_dist_std * torch.special.ndtri(u)).exp()
        place = (level ** (1 / config.rho) - self.low) / (self.high - self.low) * count
        index = torch.minimum(place.floor().clamp_min(0), count - 1)
        before, after = (self._level((index + more) / count) for more in (0, 1))
        noise = randn(targets.shape, generator, targets)
        drops = self.backbone.drops(targets, generator)
        with torch.no_grad():
            goal = self._consistent(targets + self.wide(before) * noise, before, conditions, drops)
        found = self._consistent(targets + self.wide(after) * noise, after, conditions, drops)
        apart = (found - goal).flatten(1).square().sum(1)
        return ((apart + self.huber_c**2).sqrt() - self.huber_c) / (after - before)

    def times(self, options: Any) -> list[float]:
        """As spaced as the levels of training, without the last, where nothing is left to do."""
        steps = options.steps
        return [(self.high + (self.low - self.high) * k / steps) ** self.config.rho for k in range(steps)]

    def noised(self, x: Tensor, noise: Tensor, t: float) -> Tensor:
        """See `Consistency`."""
        if t >= self.config.max_time:
            return t * noise
        return x + math.sqrt(t**2 - self.config.eps**2) * noise

    def denoised(self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float) -> Tensor:
        """See `Consistency`."""
        skip, out, scale, clock = self._scales(t)
        return skip * x + out * self.backbone.guided(x * scale, clock, conditions, strength)

    def _consistent(self, x: Tensor, t: Tensor, conditions: Tensor | None, drops: Any) -> Tensor:
        skip, out, scale, clock = self._scales(t)
        return skip * x + out * self.backbone(x * scale, clock, conditions, **drops)

    def _scales(self, t: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Of skip, output and input, and the network's time, which is linear in the logarithm and within [0, 1].

        At `t = eps` the network is left out (arXiv:2303.01469, eq. 25).
        """
        config = self.config
        wide = self.wide(t)
        apart, total = wide - config.eps, (wide.square() + config.sigma2).rsqrt()
        skip = config.sigma2 / (apart.square() + config.sigma2)
        clock = (t / config.eps).log() / math.log(config.max_time / config.eps)
        return skip, math.sqrt(config.sigma2) * apart * total, total, clock

    def _level(self, share: Tensor) -> Tensor:
        return (self.low + share * (self.high - self.low)) ** self.config.rho
