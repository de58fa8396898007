"""The contract of all integrators, and what they check before work starts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from ._guard import Guard
from ._request import check_time
from ._solution import Parts, Solution, as_parts, rows_of, solution

__all__ = ["Method"]


class Method(ABC):
    """Solves `dx/dt = field(t, x)`; a family of methods says how in `plan` and `solve`."""

    def __init__(self, name: str, order: float) -> None:
        self.name = name
        self.order = order

    def integrate(
        self,
        field: Callable[..., Any],
        x: Any,
        t0: float,
        t1: float,
        *,
        steps: int | str | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Solution:
        """Solve from `t0` to `t1`, in either direction, landing on `t1` exactly.

        Args:
            field: called as `field(t, x, rows)`, always with three positional arguments.
                `t` has the dtype and device of the state: `(1,)` where all rows share the
                time, `(r, 1)` where each of the `r` active rows has its own. `x` is the state
                of the active rows. `rows` is None while these are all rows, else a LongTensor
                `(r,)` of their indices on the device of `x`, by which conditions are selected.
                Returns `dx/dt` in the structure and shapes of `x`.
            x: the state at `t0`: a tensor `(R, ...)`, or a tuple of tensors that share the row
                axis R, such as `(x, change of the log density)`; one floating-point dtype.
            t0: start, in the units of the field.
            t1: end; `t0 == t1` returns `x` as it is.
            steps: a whole number of equal steps. None means the class fact `default_steps` for
                fixed-step methods and, like "adaptive", control of the error for adaptive ones.
            rtol: tolerance relative to the state, for adaptive methods under control only.
            atol: absolute tolerance in the units of the state, likewise.

        Returns:
            `Solution(state, evaluations, steps)`, the counts as `(R,)` integers on the CPU.

        Raises:
            ConfigError: an option that cannot work, or that this method would ignore.
            DataError, ShapeError: a state, or a value of the field, of the wrong form.
            IntegrationError: a non-finite state, an underflowing step, or a spent budget.
        """
        plan = self.plan(steps, rtol, atol)
        parts = as_parts(x)
        start, stop = check_time(t0, "t0"), check_time(t1, "t1")
        if start == stop or rows_of(parts) == 0:
            return solution(x, parts, 0, 0)
        guard = Guard(field, self.name, single=parts is not x)
        return solution(x, *self.solve(guard, parts, start, stop, plan))

    @abstractmethod
    def plan(self, steps: Any, rtol: Any, atol: Any) -> Any:
        """Check the options; the result is handed to `solve`."""

    @abstractmethod
    def solve(self, guard: Guard, parts: Parts, t0: float, t1: float, plan: Any) -> tuple[Parts, Any, Any]:
        """The parts at `t1`, evaluations and steps; `t0 != t1` and at least one row."""
