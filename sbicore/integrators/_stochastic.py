"""Steps of stochastic methods: equal ones, on one Brownian path."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Protocol

import torch
from torch import Tensor

from ..errors import DataError
from ..protocols import Brownian
from ._fixed import grid
from ._guard import Guard
from ._request import check_time, steps_without_control
from ._solution import Solution, as_parts, solution

__all__ = ["Scheme", "StochasticSteps", "at", "single"]

Drift = Callable[[float, Tensor], Tensor]
Scale = Callable[[float], Tensor]


class Scheme(Protocol):
    """One step: `(drift, diffusion, x, t, h, W, H) -> x`."""

    def __call__(self, drift: Drift, scale: Scale, x: Tensor, t: float, h: float, w: Tensor, area: Tensor) -> Tensor:
        """The state at `t + h`, from increment and space-time Lévy area of the path between."""
        ...


class StochasticSteps:
    """A method of equal steps for additive noise. See `sbicore.protocols.StochasticIntegrator`."""

    def __init__(self, name: str, order: float, scheme: Scheme, default_steps: int) -> None:
        self.name, self.order = name, order
        self.scheme, self.default_steps = scheme, default_steps

    def integrate(
        self,
        field: Callable[..., Any],
        x: Tensor,
        t0: float,
        t1: float,
        *,
        diffusion: Callable[[Tensor], Tensor],
        brownian: Brownian,
        steps: int | str | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Solution:
        """Solve from `t0` to `t1`, in either direction.

        Args:
            field: the drift, called as an ordinary integrator calls its field.
            x: the state at `t0`, one tensor `(R, ...)`.
            t0, t1: start and end.
            diffusion: scale of the noise, `(1,) -> (1,)`.
            brownian: the path.
            steps: a whole number; None is the class fact `default_steps`.
            rtol, atol: refused.

        Raises:
            ConfigError: an option that this method would ignore.
            DataError: a state that is no floating-point tensor.
            IntegrationError: a state that is not finite.
        """
        count = steps_without_control(self.name, self.default_steps, steps, rtol, atol)
        single(x)
        start, stop = check_time(t0, "t0"), check_time(t1, "t1")
        if start == stop or len(x) == 0:
            return solution(x, (x,), 0, 0)
        guard = Guard(field, self.name, single=True)

        def drift(t: float, x: Tensor) -> Tensor:
            return guard(at(t, x), (x,))[0]

        def scale(t: float) -> Tensor:
            return diffusion(at(t, x))

        for t, then in pairwise(grid(start, stop, count)):
            guard.watch(t, (x,))
            w, area = (part.to(x.dtype) for part in brownian(t, then))
            x = self.scheme(drift, scale, x, t, then - t, w, area)
        guard.check(stop, (x,))
        return solution(x, (x,), guard.calls, count)


def at(t: float, like: Tensor) -> Tensor:
    """A time that all rows share, `(1,)`."""
    return torch.full((1,), t, dtype=like.dtype, device=like.device)


def single(x: Any) -> None:
    """Raise DataError unless the state is one floating-point tensor."""
    as_parts(x)
    if isinstance(x, tuple):
        raise DataError("The state of a stochastic or a denoising method is one tensor, got a tuple.")
