"""Map a bounded variable to the whole real line, with bounds that are never crossed on the way back.

Distances to the bounds decide everything: `d = x - lower`, `e = upper - x`, `w = upper - lower`.

    both bounds    y = log d - log e             log|dy/dx| = log w - log d - log e
    lower only     y = log(exp(d) - 1)           log|dy/dx| = -log(1 - exp(-d))
    upper only     y = -log(exp(e) - 1)          log|dy/dx| = -log(1 - exp(-e))

A bound that the dtype cannot hold is rounded to the nearest number on the way in, so that data on the
bound stay on it, and towards the inside on the way out, so that no result lies outside.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import numbers
from .elementwise import Elementwise, check_values, constant

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Constrain"]


@frozen(kw_only=True)
class Constrain(Elementwise):
    """Bounded to unbounded: logit for two bounds, inverse softplus for one.

    A value exactly on a bound is moved inside by a quarter of the dtype's epsilon (times the width,
    where there is one), to stay finite: to about -17 or 17 in float32. Values outside become NaN.
    """

    name: ClassVar[str] = "constrain"
    arguments: ClassVar[tuple[str, ...]] = ("lower", "upper")

    lower: Any = numbers(None, optional=True, doc="Lower bound: a number, or an array for the event.")
    upper: Any = numbers(None, optional=True, doc="Upper bound, likewise.")

    def __attrs_post_init__(self) -> None:
        if self.lower is None and self.upper is None:
            raise ConfigError("constrain needs a bound\nGive lower, upper or both.")
        for name, value in (("lower", self.lower), ("upper", self.upper)):
            if value is not None:
                check_values(name, value)
        if self.lower is not None and self.upper is not None:
            _check_room(self.lower, self.upper)

    def _apply(self, x: Tensor) -> Tensor:
        y: Tensor
        inside, below, above = self._distances(x)
        if below is not None and above is not None:
            y = below.log() - above.log()
        elif below is not None:
            y = below + _log1mexp(below)
        else:
            y = -(above + _log1mexp(above))
        return y.where(inside, math.nan)

    def _undo(self, y: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import softplus

        lower = None if self.lower is None else constant(self.lower, y)
        upper = None if self.upper is None else constant(self.upper, y)
        if lower is not None and upper is not None:
            width = upper - lower
            x = torch.where(y < 0, lower + width * y.sigmoid(), upper - width * (-y).sigmoid())
        elif lower is not None:
            x = lower + softplus(y, threshold=40.0)
        elif upper is not None:
            x = upper - softplus(-y, threshold=40.0)
        if self.lower is not None:
            x = torch.maximum(x, _inner(self.lower, y, math.inf))
        if self.upper is not None:
            x = torch.minimum(x, _inner(self.upper, y, -math.inf))
        return x

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        slope: Tensor
        inside, below, above = self._distances(x)
        if below is not None and above is not None:
            width = constant(self.upper, x) - constant(self.lower, x)
            slope = width.log() - below.log() - above.log()
        elif below is not None:
            slope = -_log1mexp(below)
        else:
            slope = -_log1mexp(above)
        return slope.where(inside, math.nan)

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
            inside = inside & (x >= lower)
            below = torch.where(x > lower, x - lower, least)
        if upper is not None:
            inside = inside & (x <= upper)
            above = torch.where(x < upper, upper - x, least)
        return inside, below, above


def _log1mexp(distance: Tensor) -> Tensor:
    """log(1 - exp(-d)) for d > 0; added to d it is the inverse of softplus."""
    result: Tensor = (-(-distance).expm1()).log()
    return result


def _inner(bound: Any, like: Tensor, towards: float) -> Tensor:
    """`bound` in the dtype of `like`, rounded in the direction of `towards`."""
    import torch

    exact = torch.tensor(bound, dtype=torch.float64, device="cpu")
    near = exact.to(like.dtype)
    crossed = near.double() < exact if towards > 0 else near.double() > exact
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
