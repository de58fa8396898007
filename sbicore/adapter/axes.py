"""Steps that add and remove axes of length 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import integer
from .variablewise import Event, Variablewise, axis_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AsSet", "AsTimeSeries", "ExpandDims", "Squeeze"]


@frozen(kw_only=True)
class ExpandDims(Variablewise):
    """A new axis of length 1 at `axis` of the event."""

    name: ClassVar[str] = "expand_dims"
    needs: ClassVar[str] = "an event with enough axes"
    arithmetic: ClassVar[bool] = False

    axis: int = integer(doc="Where the new axis is, of the event after this step; -1: last.")

    def _after(self, event: Event) -> Event:
        at = axis_of(self.axis, len(event) + 1) + len(event) + 1
        return (*event[:at], 1, *event[at:])

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        return x.unsqueeze(axis_of(self.axis, len(event) + 1))

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        return y.squeeze(axis_of(self.axis, len(event) + 1))


@frozen(kw_only=True)
class Squeeze(Variablewise):
    """The event without its axis `axis`, which must have length 1."""

    name: ClassVar[str] = "squeeze"
    needs: ClassVar[str] = "an axis of length 1"
    arithmetic: ClassVar[bool] = False

    axis: int = integer(doc="An axis of the event; -1: the last.")

    def _after(self, event: Event) -> Event:
        at = axis_of(self.axis, len(event)) + len(event)
        if event[at] != 1:
            raise ValueError(event)
        return (*event[:at], *event[at + 1 :])

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        return x.squeeze(axis_of(self.axis, len(event)))

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        return y.unsqueeze(axis_of(self.axis, len(event)))


@frozen(kw_only=True)
class AsSet(Variablewise):
    """Entries with features, `(N, F)`: `(N,)` becomes `(N, 1)`, a number `(1, 1)`; others stay."""

    name: ClassVar[str] = "as_set"
    arithmetic: ClassVar[bool] = False

    def _after(self, event: Event) -> Event:
        return event if len(event) > 1 else (*(event or (1,)), 1)

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        for _ in range(2 - len(event)):
            x = x.unsqueeze(-1)
        return x

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        for _ in range(2 - len(event)):
            y = y.squeeze(-1)
        return y


@frozen(kw_only=True)
class AsTimeSeries(AsSet):
    """Steps with features, `(T, F)`, made as `as_set` makes a set."""

    name: ClassVar[str] = "as_time_series"
