"""Base of the steps that map each variable as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..errors import ShapeError
from .elementwise import floating
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Event", "Variablewise", "axis_of"]

Event = tuple[int, ...]


@frozen(kw_only=True)
class Variablewise(Transform):
    """Maps each variable in `keys`, `(*, *event)`, to `(*, *after)`.

    Subclasses define `_after`, `_apply`, `_undo` and, where volumes change, `_log_volume`; `needs` says what an event
    must be, `arithmetic` whether integers become floating.
    """

    needs: ClassVar[str] = ""
    arithmetic: ClassVar[bool] = True

    keys: tuple[str, ...] = names(doc="Variables to transform.")

    def events(self, events: Events) -> Events:
        """Replace the shapes of `keys`."""
        self._need(self.keys, events)
        return {**events, **{key: self._checked(key, events[key]) for key in self.keys}}

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Map each of `keys` that is present."""
        found = {key: self._apply(self._value(data[key]), events[key]) for key in self.keys if key in data}
        return {**data, **found}

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Map each of `keys` that is present back."""
        found = {key: self._undo(self._value(data[key]), events[key]) for key in self.keys if key in data}
        return {**data, **found}

    def log_det(
        self, data_before: dict[str, Tensor], data_after: dict[str, Tensor], events: Events
    ) -> dict[str, Tensor]:
        """Sum of log-volumes over what the map takes as one."""
        result = {}
        for key in self.keys:
            if key not in data_before:
                continue
            x = self._value(data_before[key])
            volume = self._log_volume(x, data_after[key], events[key])
            if volume is not None:
                lead = x.ndim - len(events[key])
                result[key] = volume.flatten(lead).sum(-1) if volume.ndim > lead else volume
        return result

    def _after(self, event: Event) -> Event:
        """The event's shape after this step; ValueError for one that it cannot take."""
        return event

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        """`(*, *event) -> (*, *after)`."""
        raise NotImplementedError

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        """`(*, *after) -> (*, *event)`."""
        raise NotImplementedError

    def _log_volume(self, x: Tensor, y: Tensor, event: Event) -> Tensor | None:
        """log|det dy/dx| `(*, ...)`, still to be summed over axes that belong to the event; None where it is zero."""
        return None

    def _value(self, x: Tensor) -> Tensor:
        return floating(x) if self.arithmetic else x

    def _checked(self, key: str, event: Event) -> Event:
        try:
            return self._after(event)
        except ValueError:
            raise self._error(
                f"needs {self.needs}; {key!r} has shape {event}", ShapeError, variable=key, got=event
            ) from None


def axis_of(axis: int, rank: int) -> int:
    """An axis of an event of `rank` axes, counted from its end, so that leading axes do not matter.

    Raises:
        ValueError: there is no such axis.
    """
    if not -rank <= axis < rank:
        raise ValueError(axis)
    return axis - rank if axis >= 0 else axis
