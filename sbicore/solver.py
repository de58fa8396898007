"""Which solver runs, for networks that draw by integrating a field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .config import Options, frozen
from .errors import ConfigError
from .fields import component, integer, number

if TYPE_CHECKING:
    from .integrators._solution import Solution

__all__ = ["SolverOptions"]


@frozen(kw_only=True)
class SolverOptions(Options):
    """Method and accuracy of an ODE solver; what is not given is left to the network."""

    method: Any = component("integrator", None, optional=True, doc="An integrator: name, mapping or config.")
    steps: int | str | None = integer(
        None, ge=1, also=("adaptive",), optional=True, doc="Number of equal steps, or 'adaptive'."
    )
    rtol: float | None = number(None, gt=0.0, optional=True, doc="Relative tolerance of adaptive methods.")
    atol: float | None = number(None, ge=0.0, optional=True, doc="Absolute tolerance of adaptive methods.")

    def __attrs_post_init__(self) -> None:
        if self.asks_adaptive and isinstance(self.steps, int):
            raise ConfigError("steps and rtol or atol exclude each other: equal steps, or controlled ones")
        if self.asks_adaptive and self.method is not None and not self.method.adaptive:
            raise ConfigError(
                f"{self.method.name!r} takes equal steps and has no tolerances.\n"
                "Adaptive methods: bosh3, dopri5, dopri8, tsit5; or give steps=<number>."
            )

    @property
    def asks_adaptive(self) -> bool:
        """Whether error control was asked for."""
        return self.steps == "adaptive" or self.rtol is not None or self.atol is not None

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
        return SolverOptions(**{**kept, **own})

    def completed(self, default: SolverOptions, adaptive: str = "dopri5") -> SolverOptions:
        """These options with a method: that of `default`, or `adaptive` where control is asked for."""
        if self.method is not None:
            return self
        if self.asks_adaptive and not default.method.adaptive:
            return SolverOptions(**{**self._solver_values(), "method": adaptive})
        if self.asks_adaptive or self.steps is not None:
            return SolverOptions(**{**self._solver_values(), "method": default.method})
        return default

    def _solver_values(self) -> dict[str, Any]:
        return {"method": self.method, "steps": self.steps, "rtol": self.rtol, "atol": self.atol}

    def integrate(self, field: Any, x: Any, t0: float, t1: float) -> Solution:
        """Solve with this method. See `sbicore.protocols.Integrator`."""
        solution: Solution = self.method.integrate(field, x, t0, t1, steps=self.steps, rtol=self.rtol, atol=self.atol)
        return solution
