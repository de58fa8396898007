"""Draws and densities of networks whose field carries noise to data: `dx/dt = v(x, t, c)` from t = 1 to 0."""

from __future__ import annotations

import math
import warnings
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from .composition import Composition, Items
from .constraints import Constraint, constrained
from .errors import ConfigError, SamplingWarning
from .field_options import CompositionOptions, DensityOptions, DrawOptions, FieldOptions, SampleOptions
from .guidance import GuidedBackbone
from .randomness import randn
from .reverse_diffusion import drawing
from .solver import SolverOptions
from .trace import exact_trace, hutchinson_trace

__all__ = ["ContinuousFlow"]

_SPACING = 2.0
"""Short steps near the data, where the field is steep: with five steps of rk4 a normal posterior of 0.02 of the
prior's standard deviation comes out 0.5 % too narrow, with equal steps 49 % too wide."""
_EXACT = 1_024
"""Dimensions of targets whose densities may be computed with the exact trace."""


class ContinuousFlow(nn.Module):
    """Base class of inference networks that solve an ordinary differential equation.

    A network sets `backbone` and `base`, the distribution of the noise, and defines `velocity`. Time runs straight from
    data to noise: at t, draws are `(1 - t) x + t e` of data x and noise e, with `dx/dt = e - x` expected.

    Args:
        config: with `integrate_kwargs`, the defaults of the solver.
        event: shape of the targets.
    """

    backbone: GuidedBackbone
    base: Any
    last_time: float = 1.0
    """Where draws start."""
    draws = SolverOptions(method="rk4", steps=5)
    """Solver of `sample`, unless told."""
    constrained = SolverOptions(method="dopri5", rtol=1e-3, atol=1e-3)
    """Solver of `sample` under constraints, unless told: their part of the field is stiff."""
    composed = SolverOptions(method="rk4", steps=10)
    """Solver of `compositional_sample`, unless told."""
    uncorrected = SolverOptions(method="predictor_corrector")
    """Solver of `compositional_sample` without correction, whose field leads nowhere and whose score alone serves."""
    densities = SolverOptions(method="dopri5", rtol=1e-4, atol=1e-4)
    """Solver of `log_prob`, unless told."""

    def __init__(self, config: Any, event: Sequence[int]) -> None:
        super().__init__()
        self.config = config
        self.event = tuple(event)
        self._said = False

    @abstractmethod
    def velocity(
        self, x: Tensor, t: Tensor, conditions: Tensor | None, strength: float, given: Tensor | None
    ) -> Tensor:
        """The field, guided with this strength: `(R, *, *event), (1,) or (r, 1), (R, 1, C) -> (R, *, *event)`.

        `given` is True where targets are known, and `x` is their values there.
        """

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        fixed: Tensor | None = None,
        constraints: list[Constraint] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` for `conditions (R, 1, C)`.

        `fixed (R, 1, *event)` holds NaN where to draw; `constraints` see `sbicore.constraints`.
        """
        given: SampleOptions = self.config.sample_options(**options)
        start = self._noise(shape, generator)
        known = None if fixed is None else ~fixed.isnan()
        if fixed is not None and known is not None:
            start = torch.where(known, fixed, start)
        default = self.draws
        if constraints:
            conditions, known = _plain(conditions), _plain(known)
        field = self._field(conditions, given, known)
        if constraints:
            self.require_score("constraints")
            default = self.constrained
            guide = "softplus" if given.constraint_guide == "softplus" else "probability"
            field = constrained(field, constraints, guide, given.constraint_strength)
        state = self._drawn(field, start, given, self._solver(given, default), generator, report, known)
        return state if known is None else torch.where(known, start, state)

    def compositional_sample(
        self,
        shape: Sequence[int],
        items: Items,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, *event)` given all n items of each row: see `sbicore.composition`."""
        given: CompositionOptions = self.config.compositional_sample_options(**options)
        self.require_score("compositional_sample")

        def velocity(x: Tensor, t: Tensor, conditions: Tensor, strength: float) -> Tensor:
            return self.velocity(x, t, conditions, strength, None)

        field = Composition(velocity, items, given, generator)
        solver = self._solver(given, self.composed if given.correction == "gauss" else self.uncorrected)
        state = self._drawn(field, self._noise(shape, generator), given, solver, generator, report)
        if report is not None:
            report["evaluations"] = report["evaluations"] * field.calls
        return state

    def require_score(self, method: str) -> None:
        """Raise ConfigError where the field does not tell the score, which `method` needs."""

    def _noise(self, shape: Sequence[int], generator: Generator | Sequence[Generator] | None) -> Tensor:
        drawn: Tensor = self.base.sample((*shape, *self.event), generator=generator, like=self.backbone.head.weight)
        return drawn

    def _drawn(
        self,
        field: Any,
        start: Tensor,
        options: DrawOptions,
        solver: SolverOptions,
        generator: Generator | Sequence[Generator] | None,
        report: dict[str, Any] | None,
        known: Tensor | None = None,
    ) -> Tensor:
        """The end of the field's path from `start`, in reduced precision where that is asked for."""
        if solver.method.stochastic or solver.method.denoises:
            self.require_score(solver.method.name)
        reduced = torch.autocast(start.device.type, torch.bfloat16, enabled=options.precision == "bfloat16")

        def reduced_field(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
            with reduced:
                v: Tensor = field(t, x, rows)
                return v

        drawn = drawing(solver.method, reduced_field, start, self.last_time, known, generator)
        solution = solver.integrate(drawn.field, start, self.last_time, 0.0, **drawn.more)
        self._fill(report, solution, options)
        state: Tensor = solution.state
        return state

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
        `log p_0(x) = log p_1(x(1)) + integral of the trace`. With several probes, `report` receives the standard
        error of their mean.
        """
        given: DensityOptions = self.config.log_prob_options(**options)
        if not callable(getattr(self.base, "log_prob", None)):
            raise ConfigError(
                f"the base {self.config.base_distribution.name!r} has no density, so neither has the flow\n"
                "Build with base_distribution='normal'."
            )
        if given.hutchinson is None and (size := math.prod(self.event)) > _EXACT:
            raise ConfigError(
                f"the exact trace of targets of shape {self.event} takes {size:,} backward passes at each evaluation\n"
                "Estimate it by random probes: log_prob(..., hutchinson=10)"
            ).within("hutchinson")
        solver = self._solver(given, self.densities)
        whole = self._field(conditions, given, None)
        rank = len(self.event)
        lead = targets.shape[: targets.ndim - rank]
        probes = None
        if given.hutchinson is not None:
            signs = randn((targets.shape[0], given.hutchinson, *targets.shape[1:]), generator, targets).sign()
            probes = signs.transpose(0, 1)

        def field(t: Tensor, state: tuple[Tensor, Tensor], rows: Tensor | None) -> tuple[Tensor, Tensor]:
            def at(x: Tensor) -> Tensor:
                return whole(t, x, rows)

            if probes is None:
                return exact_trace(at, state[0], rank)
            return hutchinson_trace(at, state[0], probes if rows is None else probes[:, rows], rank)

        start = targets.new_zeros(lead if given.hutchinson is None else (*lead, given.hutchinson))
        solution = solver.integrate(field, (targets, start), 0.0, self.last_time)
        self._fill(report, solution, given)
        noise, integral = solution.state
        if given.hutchinson is not None:
            if report is not None and given.hutchinson > 1:
                spread = integral.detach().std(-1) / given.hutchinson**0.5
                report["log_prob_error"] = spread.flatten(1).mean(1)
            integral = integral.mean(-1)
        return self.base.log_prob(noise) + integral

    def _field(self, conditions: Tensor | None, options: FieldOptions, known: Tensor | None) -> Any:
        """The guided field `(t, x, rows)`, which leaves known targets where they are."""
        strength = options.guidance_strength
        self.backbone.require_guidance(strength)

        def field(t: Tensor, x: Tensor, rows: Tensor | None) -> Tensor:
            fixed = _pick(known, rows)
            v = self.velocity(x, t, _pick(conditions, rows), strength, fixed)
            return v if fixed is None else torch.where(fixed, 0.0, v)

        return field

    def _fill(self, report: dict[str, Any] | None, solution: Any, options: FieldOptions) -> None:
        if report is not None:
            guided = options.guidance_strength not in (0.0, 1.0)
            report["evaluations"] = solution.evaluations * (2 if guided else 1)
            report["steps"] = solution.steps

    def _solver(self, given: SolverOptions, default: SolverOptions) -> SolverOptions:
        defaults: SolverOptions = self.config.integrate_kwargs
        stored = defaults.method
        if default is self.densities and stored is not None and (stored.stochastic or stored.denoises):
            defaults = SolverOptions()
            if not self._said:
                self._said = True
                warnings.warn(
                    f"{stored.name!r} of integrate_kwargs only draws; densities take {default.method.name!r}.",
                    SamplingWarning,
                    stacklevel=2,
                )
        solver = given.over(defaults).completed(default)
        own = solver.asks_adaptive or solver.method.denoises
        return solver if own or solver.spacing is not None else solver.replace(spacing=_SPACING)


def _plain(values: Tensor | None) -> Tensor | None:
    """A copy that gradients may pass by, also where the values come from inference mode."""
    with torch.inference_mode(False):
        return None if values is None else values.clone()


def _pick(values: Tensor | None, rows: Tensor | None) -> Tensor | None:
    return values if values is None or rows is None else values[rows]
