"""The field as the solvers see it: counted, checked for its shape, watched for non-finite states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..errors import IntegrationError, ShapeError
from ._solution import Parts, rows_of

__all__ = ["Guard", "finite_rows"]


class Guard:
    """Calls `field(t, x, rows)` with the caller's structure and returns a tuple of parts.

    `calls` counts evaluations. `broke` is true once the field itself raised, so that a solver
    does not mistake its exceptions for its own. Slopes are cast to the dtype of the state.
    """

    def __init__(self, field: Callable[..., Any], method: str, *, single: bool) -> None:
        self.field = field
        self.method = method
        self.single = single
        self.calls = 0
        self.broke = False
        self._seen: list[tuple[Any, Tensor]] = []

    def __call__(self, t: Tensor, parts: Parts, rows: Tensor | None = None) -> Parts:
        """Evaluate the field at `t`, `(1,)` or `(r, 1)`.

        Raises:
            ShapeError: the field returned another structure or shape than the state's.
        """
        self.calls += 1
        try:
            slope = self.field(t, parts[0] if self.single else parts, rows)
        except BaseException:
            self.broke = True
            raise
        slopes = (slope,) if self.single else slope
        expected = [tuple(part.shape) for part in parts]
        got = [tuple(getattr(s, "shape", ())) for s in slopes] if isinstance(slopes, tuple) else slope
        if got != expected or not all(isinstance(s, Tensor) for s in slopes):
            self.broke = True
            raise ShapeError(
                f"The field must return the structure and shapes of the state.\n"
                f"Expected {expected}, got {got if isinstance(got, list) else type(got).__name__}",
                variable="field",
                expected=expected,
                got=got,
            )
        return tuple(s.to(part.dtype) for s, part in zip(slopes, parts, strict=True))

    def watch(self, t: Any, parts: Parts) -> None:
        """Note on the device, without waiting for it, whether the state at `t` is finite."""
        with torch.no_grad():
            self._seen.append((t, torch.stack([part.detach().sum() for part in parts]).sum()))

    def check(self, t: float, parts: Parts) -> None:
        """Look at the state once, at the end `t`, and say where it went wrong if it did.

        Raises:
            IntegrationError: some rows are not finite.
        """
        with torch.no_grad():
            bad = (~finite_rows(parts)).cpu()
        if not bool(bad.any()):
            return
        first = next((float(time) for time, total in self._seen if not bool(torch.isfinite(total))), t)
        raise self.non_finite(first, bad.nonzero().flatten(), rows_of(parts))

    def non_finite(self, t: float, rows: Tensor, total: int) -> IntegrationError:
        """The state or the field left the finite numbers."""
        return self._error(
            "met a non-finite state or field",
            "Check the inputs and the training; a smaller step (more steps, tighter tolerances) may help.",
            t,
            rows,
            total,
        )

    def underflow(self, t: float, rows: Tensor, total: int) -> IntegrationError:
        """A step can no longer move the time."""
        return self._error(
            "needs steps too small to move the time",
            "The field may jump or be singular there: stop short of it, loosen rtol, or give steps=.",
            t,
            rows,
            total,
        )

    def spent(self, t: float, rows: Tensor, total: int, budget: int) -> IntegrationError:
        """The budget of evaluations does not pay for another step."""
        return self._error(
            f"spent its budget of {budget} evaluations",
            "Loosen rtol and atol, use float64, raise max_evaluations, or give steps=<whole number>.",
            t,
            rows,
            total,
        )

    def _error(self, what: str, advice: str, t: float, rows: Tensor, total: int) -> IntegrationError:
        return IntegrationError(
            f"{self.method} {what}\nat t={t:.6g} in {len(rows)} of {total} rows\n{advice}",
            method=self.method,
            t=t,
            rows=tuple(rows.tolist()),
        )


def finite_rows(parts: Parts) -> Tensor:
    """`(R,)` booleans: every entry of every part of the row is finite."""
    finite = [torch.isfinite(part).reshape(part.shape[0], -1).all(1) for part in parts]
    return torch.stack(finite).all(0)
