"""Diffusion: training on all noise levels; draws and densities along the probability flow.

A noisy value is `z = alpha x + sigma e` (arXiv:2303.00848, eq. 1). The probability flow (arXiv:2011.13456, eq. 13), in
the coordinates `z / (alpha + sigma)` and the time `sigma / (alpha + sigma)`, is the straight path from data to noise,
whose field is `e - x`: the same for every schedule, and without its derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from sbicore.continuous_flow import ContinuousFlow
from sbicore.distributions.normal import Normal
from sbicore.guidance import GuidedBackbone
from sbicore.randomness import rand, randn
from sbicore.shapes import Shapes
from sbicore.solver import SolverOptions

from .predictions import ERRORS, PREDICTED, Estimate

if TYPE_CHECKING:
    from .config import DiffusionModel

__all__ = ["DiffusionModule"]

_CAUTIOUS = SolverOptions(method="dopri5", rtol=1e-3, atol=1e-3)
"""For outputs whose errors grow at one end: of the signal, where it is what noise leaves, and of the noise likewise."""


class DiffusionModule(ContinuousFlow):
    """The inference network behind `DiffusionModel`. See `sbicore.protocols.InferenceNetwork`."""

    draws = SolverOptions(method="rk4", steps=4)

    def __init__(self, config: DiffusionModel, shapes: Shapes) -> None:
        super().__init__(config, shapes.target)
        self.schedule: Any = config.noise_schedule.build()
        self.potential = config.prediction_type == "potential"
        if config.prediction_type not in ("F", "velocity"):
            self.draws = _CAUTIOUS
        self.backbone = GuidedBackbone(
            config.subnet,
            Shapes(target=shapes.target, conditions=shapes.conditions, time=True, output=1 if self.potential else None),
            drop_cond_prob=config.drop_cond_prob,
            drop_target_prob=config.drop_target_prob,
        )
        ends = self.schedule.log_snr(torch.tensor([0.0, 1.0], dtype=torch.float64))
        self.most, self.least = ends.tolist()
        alpha, sigma = self.schedule.alpha_sigma(ends[1])
        self.last_time = float(sigma / (alpha + sigma))
        spread = math.hypot(self.last_time, (1 - self.last_time) * config.sigma_data)
        self.base = Normal(std=spread).build(shapes)

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Weighted squared error, averaged over the event: `(B, *event), (B, C) -> (B,)`.

        Times are `u + i / B` modulo 1, for one u a batch (arXiv:2107.00630, appendix I.1). With `antithetic`, a row's
        error is the mean of those for a noise and its opposite: where there is little, it makes most of what the
        gradients say (arXiv:2512.20003, section 2), and then cancels.
        """
        rows = len(targets)
        places = torch.arange(rows, device=targets.device, dtype=targets.dtype) / rows
        level = self.schedule.log_snr((rand((1,), generator, targets) + places) % 1, training=True)
        noise = randn(targets.shape, generator, targets)
        if self.config.antithetic:
            noise = torch.cat([noise, -noise])
            level, targets = torch.cat([level, level]), torch.cat([targets, targets])
            conditions = None if conditions is None else torch.cat([conditions, conditions])
        point = self._point(level)
        z = point.alpha * targets + point.sigma * noise
        drops = self.backbone.drops(targets, generator)
        given = drops.get("given")
        seen = z * point.scale if given is None else torch.where(given, targets, z * point.scale)
        p = self._output(partial(self.backbone, **drops), seen, point.t, conditions)
        signal_found, noise_found = point.estimate.both(z, p)
        apart = signal_found - targets, noise_found - noise
        error_of = ERRORS[self.config.loss_type]
        errors = error_of(*apart, point.alpha, point.sigma, self.config.sigma_data).square().flatten(1)
        if given is None:
            error = errors.mean(1)
        else:
            inferred = (~given).flatten(1)
            error = (errors * inferred).sum(1) / inferred.sum(1)
        if self.config.loss_type == "noise":
            error = error * self.schedule.loss_weight(level)
        return error.unflatten(0, (-1, rows)).mean(0)

    def velocity(
        self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float, given: Tensor | None
    ) -> Tensor:
        """The guided field `e - x` at straight times: see `ContinuousFlow`."""
        point = self._point((2 * ((1 - t).log() - t.log())).clamp(self.least, self.most))
        z = x * (point.alpha + point.sigma)
        seen = z * point.scale if given is None else torch.where(given, x, z * point.scale)
        p = self._output(partial(self.backbone.guided, strength=strength, given=given), seen, point.t, conditions)
        signal, noise = point.estimate.both(z, p)
        return noise - signal

    def _point(self, log_snr: Tensor) -> _Point:
        """All that a noise level decides: `(*) -> (*, 1, ...)`."""
        level = log_snr.reshape(*log_snr.shape, *[1] * len(self.event))
        alpha, sigma = self.schedule.alpha_sigma(level)
        sigma_data = self.config.sigma_data
        estimate = PREDICTED[self.config.prediction_type](alpha, sigma, sigma_data)
        scale = ((alpha * sigma_data).square() + sigma.square()).rsqrt()
        return _Point(alpha, sigma, scale, torch.sigmoid(-log_snr / 2), estimate)

    def _output(self, network: Callable[..., Tensor], x: Tensor, t: Tensor, conditions: Tensor | None) -> Tensor:
        """What the network says of `x`, or the gradient of it where that is a potential.

        Fused attention has first derivatives alone, so the plain one stands in for it there.
        """
        if not self.potential:
            return network(x, t, conditions)
        training = torch.is_grad_enabled()
        with torch.inference_mode(False), torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
            x, t = x.clone(), t.clone()
            conditions = None if conditions is None else conditions.clone()
            x = x if x.requires_grad else x.requires_grad_()
            (gradient,) = torch.autograd.grad(network(x, t, conditions).sum(), x, create_graph=training)
        return gradient


class _Point(NamedTuple):
    """Of one noise level: scales of signal, noise and the network's input, the network's time, and its meaning."""

    alpha: Tensor
    sigma: Tensor
    scale: Tensor
    t: Tensor
    estimate: Estimate
