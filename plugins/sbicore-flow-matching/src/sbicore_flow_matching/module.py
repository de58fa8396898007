"""Flow matching: training, draws, densities.

The path is `x_t = (1 - t) x + t e` with data x at t = 0 and noise e at t = 1; the network
regresses on its velocity `e - x` (arXiv:2210.02747, eq. 23 with time reversed and
sigma_min = 0). Draws solve `dx/dt = v(x, t, c)` from 1 to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from sbicore.backbone import Backbone
from sbicore.randomness import rand, randn
from sbicore.shapes import Shapes
from sbicore.solver import SolverOptions

from .config import FlowMatching, LogProbOptions
from .trace import exact_trace, hutchinson_trace

__all__ = ["FlowMatchingModule"]

_DRAW = SolverOptions(method="midpoint", steps=20)
_DENSITY = SolverOptions(method="dopri5", rtol=1e-5, atol=1e-5)
_SPACING = 2.0
"""Short steps near the data, where the field is steep: with 20 midpoint steps a normal posterior of 0.02 of the prior's
standard deviation comes out 0.4 % too narrow, with equal steps 18 %."""


class FlowMatchingModule(nn.Module):
    """The inference network behind `FlowMatching`. See `sbicore.protocols.InferenceNetwork`."""

    def __init__(self, config: FlowMatching, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.event = shapes.target
        self.velocity = Backbone(config.subnet, Shapes(target=shapes.target, conditions=shapes.conditions, time=True))
        self.base = config.base_distribution.build(shapes)

    def loss(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Squared error of the velocity, averaged over the event: `(B, *event), (B, C) -> (B,)`."""
        noise = self.base.sample(targets.shape, generator=generator, like=targets)
        u = rand(targets.shape[:1], generator, targets)
        t = 1 - u ** (1 + self.config.time_power_law_alpha)
        x = torch.lerp(targets, noise, t.view(-1, *[1] * len(self.event)))
        error = functional.mse_loss if self.config.loss_fn == "mse" else functional.huber_loss
        return error(self.velocity(x, t, conditions), noise - targets, reduction="none").flatten(1).mean(1)

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` for `conditions (R, 1, C)`."""
        given: SolverOptions = self.config.sample_options(**options)  # type: ignore[assignment]
        solver = self._solver(given, _DRAW)
        noise = self.base.sample((*shape, *self.event), generator=generator, like=self.velocity.head.weight)

        def field(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
            return self.velocity(x, t, _pick(conditions, rows))

        solution = solver.integrate(field, noise, 1.0, 0.0)
        _fill(report, solution)
        return solution.state

    def log_prob(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        report: dict[str, Any] | None = None,
        generator: Generator | Sequence[Generator] | None = None,
        **options: Any,
    ) -> Tensor:
        """Log density `(R, *, *event), (R, *, C) -> (R, *)` by the change of variables.

        `d log p / dt = -tr(dv/dx)` along the path (arXiv:1810.01367, eq. 3), so that
        `log p_0(x) = log p_1(x(1)) + integral of the trace`.
        """
        given: LogProbOptions = self.config.log_prob_options(**options)  # type: ignore[assignment]
        solver = self._solver(given, _DENSITY)
        probes = None
        if given.hutchinson is not None:
            signs = randn((targets.shape[0], given.hutchinson, *targets.shape[1:]), generator, targets).sign()
            probes = signs.transpose(0, 1)

        def field(t: Tensor, state: tuple[Tensor, Tensor], rows: Tensor | None) -> tuple[Tensor, Tensor]:
            c = _pick(conditions, rows)

            def velocity(x: Tensor) -> Tensor:
                return self.velocity(x, t, c)

            if probes is None:
                return exact_trace(velocity, state[0], len(self.event))
            chosen = probes if rows is None else probes[:, rows]
            return hutchinson_trace(velocity, state[0], chosen, len(self.event))

        lead = targets.shape[: targets.ndim - len(self.event)]
        solution = solver.integrate(field, (targets, targets.new_zeros(lead)), 0.0, 1.0)
        _fill(report, solution)
        noise, integral = solution.state
        return self.base.log_prob(noise) + integral

    def _solver(self, given: SolverOptions, default: SolverOptions) -> SolverOptions:
        solver = given.over(self.config.integrate_kwargs).completed(default)
        return solver if solver.asks_adaptive or solver.spacing is not None else solver.replace(spacing=_SPACING)


def _pick(conditions: Tensor | None, rows: Tensor | None) -> Tensor | None:
    return conditions if conditions is None or rows is None else conditions[rows]


def _fill(report: dict[str, Any] | None, solution: Any) -> None:
    if report is not None:
        report["evaluations"] = solution.evaluations
        report["steps"] = solution.steps
