"""Flow matching: training, draws, densities.

The path is `x_t = (1 - t) x + t e` with data x at t = 0 and noise e at t = 1; the network
regresses on its velocity `e - x` (arXiv:2210.02747, eq. 23 with time reversed and
sigma_min = 0). Draws solve `dx/dt = v(x, t, c)` from 1 to 0.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor
from torch.nn import functional

from sbicore.continuous_flow import ContinuousFlow
from sbicore.errors import ConfigError
from sbicore.guidance import GuidedBackbone
from sbicore.randomness import rand
from sbicore.shapes import Shapes

from .config import FlowMatching
from .transport import repaired

__all__ = ["FlowMatchingModule"]

_OUTLIER = 10.0
"""Threshold of the Huber loss, seven deviations of what is learnt; a nearer one biases skewed posteriors."""


class FlowMatchingModule(ContinuousFlow):
    """The inference network behind `FlowMatching`. See `sbicore.protocols.InferenceNetwork`."""

    def __init__(self, config: FlowMatching, shapes: Shapes) -> None:
        super().__init__(config, shapes.target)
        self.backbone = GuidedBackbone(
            config.subnet,
            Shapes(target=shapes.target, conditions=shapes.conditions, time=True),
            drop_cond_prob=config.drop_cond_prob,
            drop_target_prob=config.drop_target_prob,
        )
        self.base = config.base_distribution.build(shapes)

    def loss(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Squared error of the velocity, averaged over the event: `(B, *event), (B, C) -> (B,)`.

        Rows are paired by transport in validation, too: other pairs have another best field. With
        independent noise the validation loss of plain transport rises while the fit succeeds.
        """
        noise = self.base.sample(targets.shape, generator=generator, like=targets)
        if self.config.use_optimal_transport:
            noise = repaired(noise, targets, conditions, self.config.optimal_transport_kwargs, generator)
        u = rand(targets.shape[:1], generator, targets)
        t = 1 - u ** (1 + self.config.time_power_law_alpha)
        x = torch.lerp(targets, noise, t.view(-1, *[1] * len(self.event)))
        drops = self.backbone.drops(targets, generator)
        given = drops.get("given")
        if given is not None:
            x = torch.where(given, targets, x)
        found = self.backbone(x, t, conditions, **drops)
        if self.config.loss_fn == "mse":
            errors = functional.mse_loss(found, noise - targets, reduction="none").flatten(1)
        else:
            errors = functional.huber_loss(found, noise - targets, reduction="none", delta=_OUTLIER).flatten(1)
        if given is None:
            return errors.mean(1)
        inferred = (~given).flatten(1)
        return (errors * inferred).sum(1) / inferred.sum(1)

    def velocity(
        self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float, given: Tensor | None
    ) -> Tensor:
        """See `ContinuousFlow`."""
        return self.backbone.guided(x, t, conditions, strength, given)

    def require_score(self, method: str) -> None:
        """Raise ConfigError after optimal transport or with another base, where noise is not normal given the data."""
        paired, base = self.config.use_optimal_transport, self.config.base_distribution.name
        if paired or base != "normal":
            why = "use_optimal_transport pairs noise with data" if paired else f"the base is {base!r}"
            raise ConfigError(
                f"{method!r} needs the score, which this field does not tell: {why}\n"
                "Draw with a method for ordinary equations, or train with normal noise and no transport."
            ).within("method")
