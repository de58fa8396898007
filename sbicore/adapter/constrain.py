"""Map a bounded variable to the whole real line, with bounds that are never crossed on the way back.

Distances to the bounds decide everything: `d = x - lower`, `e = upper - x`, `w = upper - lower`.

    sigmoid    both bounds    y = log d - log e             log|dy/dx| = log w - log d - log e
    softplus   lower only     y = log(exp(d) - 1)           log|dy/dx| = -log(1 - exp(-d))
               upper only     y = -log(exp(e) - 1)          log|dy/dx| = -log(1 - exp(-e))
    exp        lower only     y = log d                     log|dy/dx| = -log d
               upper only     y = -log e                    log|dy/dx| = -log e

A bound that the dtype cannot hold is rounded to the nearest number on the way in, so that data on the
bound stay on it, and towards the inside on the way out, so that no result lies outside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ..config import frozen
from ..errors import ConfigError
from ..fields import choice, number, numbers
from .elementwise import Elementwise, check_values, constant

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Constrain"]

_METHODS = {"sigmoid": 2, "expit": 2, "logit": 2, "softplus": 1, "exp": 1, "log": 1}
"""How many bounds each needs; some have several names."""
_SIDES = ("both", "lower", "upper", "none")


def _sides(value: Any) -> str:
    found = {True: "both", False: "none", None: "none"}.get(value) if value is None or value in (0, 1) else value
    if found not in _SIDES:
        raise ConfigError(f"unknown choice {value!r}\nChoices: {', '.join(_SIDES)}").within("inclusive")
    return str(found)


@frozen(kw_only=True)
class Constrain(Elementwise):
    """Bounded to unbounded: logit for two bounds, inverse softplus or log for one.

    A value on a bound is finite where `inclusive` has that bound, and as one outside NaN where it has not. Without
    `epsilon` it is moved inside, by a quarter of the dtype's epsilon (times the width, where there is one): to about
    -17 or 17 in float32. With it the map is that of bounds moved out by `epsilon`, and what falls between is put on
    the bound on the way back.
    """

    name: ClassVar[str] = "constrain"
    arguments: ClassVar[tuple[str, ...]] = ("lower", "upper")

    lower: Any = numbers(None, optional=True, doc="Lower bound: a number, or an array for the event.")
    upper: Any = numbers(None, optional=True, doc="Upper bound, likewise.")
    method: str = choice(
        "default",
        options=("default", *_METHODS),
        doc="`sigmoid` (also `expit`, `logit`) for two bounds, `softplus` or `exp` (also `log`) for one.",
    )
    inclusive: str = attrs.field(
        default="both",
        converter=_sides,
        metadata={"doc": "Bounds that are possible values: `both`, `lower`, `upper` or `none`; True: both."},
    )
    epsilon: float | None = number(None, gt=0, optional=True, doc="How far inclusive bounds are moved out.")

    def __attrs_post_init__(self) -> None:
        if self.lower is None and self.upper is None:
            raise ConfigError("constrain needs a bound\nGive lower, upper or both.")
        for name, value in (("lower", self.lower), ("upper", self.upper)):
            if value is not None:
                check_values(name, value)
        bounds = 1
        if self.lower is not None and self.upper is not None:
            _check_room(self.lower, self.upper)
            bounds = 2
        if _METHODS.get(self.method, bounds) != bounds:
            able = ", ".join(method for method, needed in _METHODS.items() if needed == bounds)
            raise ConfigError(
                f"{self.method!r} is not for {'two bounds' if bounds == 2 else 'one bound'}\nChoices: {able}"
            ).within("method")

    def inside(self, x: Tensor) -> Tensor:
        """`x` with what lies outside, as after a change of dtype, moved to the nearest value inside."""
        import torch

        if self.lower is not None:
            x = torch.maximum(x, _inner(self.lower, x, math.inf, self._includes("lower")))
        if self.upper is not None:
            x = torch.minimum(x, _inner(self.upper, x, -math.inf, self._includes("upper")))
        return x

    def _apply(self, x: Tensor) -> Tensor:
        y: Tensor
        inside, below, above = self._distances(x)
        if below is not None and above is not None:
            y = below.log() - above.log()
        else:
            distance = above if below is None else below
            y = distance.log() if self._is_exp else distance + _log1mexp(distance)
            y = -y if below is None else y
        return y.where(inside, math.nan)

    def _undo(self, y: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import softplus

        lower = None if self.lower is None else constant(self.lower, y)
        upper = None if self.upper is None else constant(self.upper, y)
        out_low, out_high = self._margin("lower"), self._margin("upper")
        if lower is not None and upper is not None:
            width = upper - lower + (out_low + out_high)
            x = torch.where(y < 0, lower + (width * y.sigmoid() - out_low), upper - (width * (-y).sigmoid() - out_high))
        elif lower is not None:
            x = lower + ((y.exp() if self._is_exp else softplus(y, threshold=40.0)) - out_low)
        elif upper is not None:
            x = upper - (((-y).exp() if self._is_exp else softplus(-y, threshold=40.0)) - out_high)
        return self.inside(x)

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        slope: Tensor
        inside, below, above = self._distances(x)
        if below is not None and above is not None:
            width = constant(self.upper, x) - constant(self.lower, x)
            width = width + (self._margin("lower") + self._margin("upper"))
            slope = width.log() - below.log() - above.log()
        else:
            distance = above if below is None else below
            slope = -distance.log() if self._is_exp else -_log1mexp(distance)
        return slope.where(inside, math.nan)

    @property
    def _is_exp(self) -> bool:
        return self.method in ("exp", "log")

    def _includes(self, side: str) -> bool:
        return self.inclusive in ("both", side)

    def _margin(self, side: str) -> float:
        """How far this bound is moved out."""
        return self.epsilon or 0.0 if self._includes(side) else 0.0

    def _distances(self, x: Tensor) -> tuple[Tensor, Any, Any]:
        """Where `x` is within bounds, and its positive distances to the bounds (None without one).

        Distances are replaced where they are zero (on the bound) or negative (outside), before
        anything is computed from them, so that gradients stay finite.
        """
        import torch

        least: Any = torch.finfo(x.dtype).eps / 4
        lower = None if self.lower is None else constant(self.lower, x)
        upper = None if self.upper is None else constant(self.upper, x)
        if lower is not None and upper is not None:
            least = least * (upper - lower)
        inside = ~x.isnan()
        below = above = None
        if lower is not None:
            inside = inside & ((x >= lower) if self._includes("lower") else (x > lower))
            below = self._distance(x - lower, self._margin("lower"), least)
        if upper is not None:
            inside = inside & ((x <= upper) if self._includes("upper") else (x < upper))
            above = self._distance(upper - x, self._margin("upper"), least)
        return inside, below, above

    @staticmethod
    def _distance(distance: Tensor, margin: float, least: Any) -> Tensor:
        import torch

        if margin:
            return distance.clamp(min=0.0) + margin
        return torch.where(distance > 0, distance, least)


def _log1mexp(distance: Tensor) -> Tensor:
    """log(1 - exp(-d)) for d > 0; added to d it is the inverse of softplus."""
    result: Tensor = (-(-distance).expm1()).log()
    return result


def _inner(bound: Any, like: Tensor, towards: float, inclusive: bool) -> Tensor:
    """`bound` in the dtype of `like`, rounded in the direction of `towards`; if exclusive the number after it."""
    import torch

    exact = torch.tensor(bound, dtype=torch.float64, device="cpu")
    near = exact.to(like.dtype)
    past = (near.double() - exact) * (1 if towards > 0 else -1)
    crossed = past < 0 if inclusive else past <= 0
    return torch.where(crossed, near.nextafter(torch.full_like(near, towards)), near).to(like.device)


def _check_room(lower: Any, upper: Any) -> None:
    import numpy as np

    try:
        low, high = np.broadcast_arrays(np.asarray(lower, float), np.asarray(upper, float))
    except ValueError:
        raise ConfigError(
            f"lower of shape {np.shape(lower)} and upper of shape {np.shape(upper)} do not broadcast"
        ).within("upper") from None
    if (low >= high).any():
        at = int(np.argmax((low >= high).ravel()))
        raise ConfigError(f"lower must be < upper, got {float(low.ravel()[at])} and {float(high.ravel()[at])}").within(
            "lower"
        )
    with np.errstate(over="ignore", invalid="ignore"):
        near_low, near_high = low.astype(np.float32), high.astype(np.float32)
        room = (np.nextafter(near_low, np.float32(np.inf)) < near_high) & np.isfinite(near_high - near_low)
    if not room.all():
        raise ConfigError(
            f"lower {lower} and upper {upper} cannot be told apart, or held, in float32\n"
            "Shift or scale the variable first."
        ).within("lower")
