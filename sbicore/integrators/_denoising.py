"""What methods share that are told the best guess of the data, in place of a field.

A state is `y = (1 - t) x + t e` of data x and noise e; they work on `y / (1 - t) = x + sigma e` with
`sigma = t / (1 - t)`, where `dy/dsigma = (y - D) / sigma` for the guess D (arXiv:2206.00364, eq. 1 and 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor

from ..errors import ConfigError
from ._guard import Guard
from ._request import check_time, steps_without_control
from ._solution import Solution, solution
from ._stochastic import at, single

__all__ = ["Denoising"]

_LEAST, _MOST, _RHO = 0.002, 80.0, 7.0
"""Levels of noise (arXiv:2206.00364, table 1)."""


class Denoising:
    """Marches over falling levels of noise. See `sbicore.protocols.DenoisingIntegrator`.

    `march(denoise, x, sigmas, noise)` takes x from the first level to the last, which may be 0: then the last step is
    the guess itself.
    """

    def __init__(self, name: str, order: float, march: Callable[..., Tensor], default_steps: int) -> None:
        self.name, self.order = name, order
        self.march, self.default_steps = march, default_steps

    def integrate(
        self,
        denoiser: Callable[..., Any],
        x: Tensor,
        t0: float,
        t1: float,
        *,
        noise: Callable[[], Tensor] | None = None,
        steps: int | str | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Solution:
        """Solve from `t0` to `t1 < t0`, over levels whose seventh roots are equally spaced.

        Args:
            denoiser: `(t, x, rows) -> (R, ...)`, the expected data, called as an integrator calls its field.
            x: the state at `t0`, one tensor `(R, ...)`.
            t0: start; levels above 80 are taken as 80.
            t1: end; before 0 comes the level 0.002.
            noise: makes standard normal numbers like x, for methods that use them.
            steps: a whole number; None is the class fact `default_steps`.
            rtol, atol: refused.

        Raises:
            ConfigError: an option that this method would ignore, or a time that runs to the noise.
            DataError: a state that is no floating-point tensor.
            IntegrationError: a state that is not finite.
        """
        count = steps_without_control(self.name, self.default_steps, steps, rtol, atol)
        single(x)
        start, stop = check_time(t0, "t0"), check_time(t1, "t1")
        if start == stop or len(x) == 0:
            return solution(x, (x,), 0, 0)
        if not 0 <= stop < start <= 1:
            raise ConfigError(f"{self.name} runs from noise to data, 1 >= t0 > t1 >= 0, and not from {t0:g} to {t1:g}")
        guard = Guard(denoiser, self.name, single=True)

        def denoise(sigma: float, x: Tensor) -> Tensor:
            t = sigma / (1 + sigma)
            guard.watch(t, (x,))
            return guard(at(t, x), (x * (1 - t),))[0]

        sigmas = _levels(start, stop, count)
        x = x * (sigmas[0] / start)
        x = self.march(denoise, x, sigmas, noise) / (1 + sigmas[-1])
        guard.check(stop, (x,))
        return solution(x, (x,), guard.calls, count)


def _levels(t0: float, t1: float, steps: int) -> list[float]:
    """`steps + 1` falling levels between two times."""
    high = min(t0 / (1 - t0), _MOST) if t0 < 1 else _MOST
    low = t1 / (1 - t1)
    if low > 0 or steps == 1:
        return [*_spaced(high, low, steps)] if low > 0 else [high, 0.0]
    return [*_spaced(high, min(_LEAST, high / 2), steps - 1), 0.0]


def _spaced(high: float, low: float, steps: int) -> list[float]:
    first, last = high ** (1 / _RHO), low ** (1 / _RHO)
    inner = [(first + (last - first) * k / steps) ** _RHO for k in range(1, steps)]
    return [high, *inner, low]
