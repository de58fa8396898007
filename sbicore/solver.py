"""Which solver runs, for networks that draw by integrating a field."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

from .config import Options, frozen
from .errors import ConfigError
from .fields import component, integer, number

if TYPE_CHECKING:
    from .integrators._solution import Solution

__all__ = ["SolverOptions", "spaced"]


@frozen(kw_only=True)
class SolverOptions(Options):
    """Method and accuracy of an ODE solver; what is not given is left to the network."""

    spacing_is_default: ClassVar[bool] = False

    method: Any = component("integrator", None, optional=True, doc="An integrator: name, mapping or config.")
    steps: int | str | None = integer(
        None, ge=1, also=("adaptive",), optional=True, doc="Number of steps, or 'adaptive'."
    )
    spacing: float | None = number(
        None,
        gt=0.0,
        optional=True,
        doc="Where steps end: at t = s^spacing for equal steps in s; 1 is equal steps in t.",
    )
    rtol: float | None = number(None, gt=0.0, optional=True, doc="Relative tolerance of adaptive methods.")
    atol: float | None = number(None, ge=0.0, optional=True, doc="Absolute tolerance of adaptive methods.")

    def __attrs_post_init__(self) -> None:
        if self.asks_adaptive and isinstance(self.steps, int):
            raise ConfigError("steps and rtol or atol exclude each other: given steps, or controlled ones")
        if self.asks_adaptive and self.method is not None and not self.method.adaptive:
            raise ConfigError(
                f"{self.method.name!r} takes given steps and has no tolerances.\n"
                "Adaptive methods: bosh3, dopri5, dopri8, tsit5; or give steps=<number>."
            )
        if self.method is not None and self.method.denoises and self.spacing is not None:
            if self.spacing_is_default:
                return
            raise ConfigError(f"{self.method.name!r} has its own spacing of the steps\nLeave spacing out.")
        if self.is_controlled and self.spacing is not None:
            raise ConfigError(
                "spacing is of a given number of steps, not of controlled ones\n"
                "Leave spacing out, or give steps=<number> in the place of tolerances."
            )

    @property
    def asks_adaptive(self) -> bool:
        """Whether error control was asked for."""
        return self.steps == "adaptive" or self.rtol is not None or self.atol is not None

    @property
    def is_controlled(self) -> bool:
        """Whether the error sets the steps: control was asked for, or an adaptive method has no number of steps."""
        adaptive = self.method is not None and self.method.adaptive
        return self.asks_adaptive or (adaptive and not isinstance(self.steps, int))

    def over(self, defaults: SolverOptions) -> SolverOptions:
        """These options, with gaps filled from `defaults` where the two go together."""
        own = {name: value for name, value in self._solver_values().items() if value is not None}
        kept = defaults._solver_values()
        if isinstance(self.steps, int) or (self.method is not None and not self.method.adaptive):
            kept |= {"rtol": None, "atol": None}
            if kept["steps"] == "adaptive":
                kept["steps"] = None
        if self.asks_adaptive:
            if isinstance(kept["steps"], int):
                kept["steps"] = None
            if kept["method"] is not None and not kept["method"].adaptive:
                kept["method"] = None
        if self.spacing is not None:
            return SolverOptions(**{**kept, **own})
        whole = _SpacedByDefault(**{**kept, **own, "spacing": None})
        return whole if whole.is_controlled else whole.replace(spacing=kept["spacing"])

    def completed(self, default: SolverOptions, adaptive: str = "dopri5") -> SolverOptions:
        """These options with a method: that of `default`, or `adaptive` where control is asked for.

        Where the error sets the steps, tolerances that were not given are those of `default`, if that is of the same
        method.

        Raises:
            ConfigError: a spacing was given, and the error sets the steps.
        """
        own = self._solver_values()
        if self.method is None and self.steps is None and not self.asks_adaptive:
            own = default._solver_values()
            if self.spacing is not None and not (self.spacing_is_default and default.is_controlled):
                own["spacing"] = self.spacing
        elif self.method is None:
            own["method"] = default.method if default.method.adaptive or not self.asks_adaptive else adaptive
        chosen = SolverOptions(**own)
        if not chosen.is_controlled:
            return chosen
        if chosen.method.name == default.method.name:
            own |= {name: getattr(default, name) for name in ("rtol", "atol") if own[name] is None}
        return SolverOptions(**{**own, "steps": "adaptive"})

    def _solver_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("method", "steps", "spacing", "rtol", "atol")}

    def integrate(self, field: Any, x: Any, t0: float, t1: float, **more: Any) -> Solution:
        """Solve with this method between two times >= 0. See `sbicore.protocols.Integrator`.

        `more` are `diffusion` and `brownian` of a stochastic method, or `noise` of one that denoises.
        """
        steps = self.steps
        if steps is None and not self.method.adaptive:
            steps = getattr(self.method, "default_steps", None)
        if not isinstance(steps, int) or self.spacing is None or self.spacing == 1.0:
            given = {"steps": self.steps, "rtol": self.rtol, "atol": self.atol, **more}
            whole: Solution = self.method.integrate(field, x, t0, t1, **given)
            return whole
        return self._by_step(field, x, spaced(t0, t1, steps, self.spacing), more)

    def _by_step(self, field: Any, x: Any, times: list[float], more: dict[str, Any]) -> Solution:
        """One step of the method from each of the times to the next."""
        parts = [solution := self.method.integrate(field, x, times[0], times[1], steps=1, **more)]
        for start, end in pairwise(times[1:]):
            parts.append(solution := self.method.integrate(field, solution.state, start, end, steps=1, **more))
        evaluations, steps = sum(part.evaluations for part in parts), sum(part.steps for part in parts)
        return type(solution)(solution.state, evaluations, steps)


@frozen(kw_only=True)
class _SpacedByDefault(SolverOptions):
    """Options whose spacing nobody gave in the call: steps that the error sets need not heed it."""

    spacing_is_default: ClassVar[bool] = True


def spaced(t0: float, t1: float, steps: int, spacing: float) -> list[float]:
    """`steps + 1` times from exactly `t0` to exactly `t1`, equally spaced in `t^(1 / spacing)`; both are >= 0."""
    s0, s1 = t0 ** (1 / spacing), t1 ** (1 / spacing)
    return [t0, *((s0 + (s1 - s0) * k / steps) ** spacing for k in range(1, steps)), t1]
