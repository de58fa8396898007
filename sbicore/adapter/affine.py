"""Steps that scale and shift with given numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import numbers
from .elementwise import Elementwise, check_values, constant

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Scale", "Shift", "Standardize"]


@frozen(kw_only=True)
class Scale(Elementwise):
    """`x * by`."""

    name: ClassVar[str] = "scale"
    arguments: ClassVar[tuple[str, ...]] = ("by",)

    by: Any = numbers(doc="Factor, or an array of factors that broadcasts to the event; none may be 0.")

    def __attrs_post_init__(self) -> None:
        check_values("by", self.by, nonzero=True)

    def _apply(self, x: Tensor) -> Tensor:
        return x * constant(self.by, x)

    def _undo(self, y: Tensor) -> Tensor:
        return y / constant(self.by, y)

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        return constant(self.by, y).abs().log().expand_as(y)


@frozen(kw_only=True)
class Shift(Elementwise):
    """`x + by`."""

    name: ClassVar[str] = "shift"
    arguments: ClassVar[tuple[str, ...]] = ("by",)

    by: Any = numbers(doc="What to add: a number, or an array that broadcasts to the event.")

    def __attrs_post_init__(self) -> None:
        check_values("by", self.by)

    def _apply(self, x: Tensor) -> Tensor:
        return x + constant(self.by, x)

    def _undo(self, y: Tensor) -> Tensor:
        return y - constant(self.by, y)


@frozen(kw_only=True)
class Standardize(Elementwise):
    """`(x - mean) / std` with given moments."""

    name: ClassVar[str] = "standardize"
    arguments: ClassVar[tuple[str, ...]] = ("mean", "std")

    mean: Any = numbers(None, optional=True, doc="Mean: a number, or an array that broadcasts to the event.")
    std: Any = numbers(None, optional=True, doc="Standard deviation, likewise; > 0.")

    def __attrs_post_init__(self) -> None:
        for name, value in (("mean", self.mean), ("std", self.std)):
            if value is None:
                raise ConfigError(
                    f"standardize needs {name}: an adapter does not estimate moments\n"
                    "Give mean and std, or leave this step out: the approximator standardises by itself."
                ).within(name)
        check_values("mean", self.mean)
        check_values("std", self.std, positive=True)

    def _apply(self, x: Tensor) -> Tensor:
        return (x - constant(self.mean, x)) / constant(self.std, x)

    def _undo(self, y: Tensor) -> Tensor:
        return y * constant(self.std, y) + constant(self.mean, y)

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor:
        return -constant(self.std, y).log().expand_as(y)
