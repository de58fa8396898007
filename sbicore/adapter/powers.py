"""Steps that compress positive variables: log, log1p and the square root."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import flag
from .elementwise import Elementwise

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Log", "Sqrt"]


@frozen(kw_only=True)
class Log(Elementwise):
    """`log x`, or `log(1 + x)` with `p1`."""

    name: ClassVar[str] = "log"

    p1: bool = flag(False, doc="Take log(1 + x), which is defined from x > -1.")

    def _apply(self, x: Tensor) -> Tensor:
        return x.log1p() if self.p1 else x.log()

    def _undo(self, y: Tensor) -> Tensor:
        return y.expm1() if self.p1 else y.exp()

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        return -y


@frozen(kw_only=True)
class Sqrt(Elementwise):
    """The square root; the inverse squares, and takes what a network draws below zero as zero.

    So it never falls, as medians and quantiles need, and densities are those of the draws above zero.
    """

    name: ClassVar[str] = "sqrt"

    def _apply(self, x: Tensor) -> Tensor:
        return x.sqrt()

    def _undo(self, y: Tensor) -> Tensor:
        return y.clamp_min(0.0).square()

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        return -math.log(2.0) - y.log()
