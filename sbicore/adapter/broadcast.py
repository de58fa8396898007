"""Repeat a variable along the axes of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from ..config import frozen
from ..errors import ConfigError, ShapeError
from ..fields import integer, text
from .transform import Events, Transform, names
from .variablewise import axis_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Broadcast"]

Axes = str | tuple[int, ...]


def _axes(value: Any) -> Axes:
    if isinstance(value, int) and not isinstance(value, bool):
        return (value,)
    if isinstance(value, str) and value in ("left", "right"):
        return value
    whole = isinstance(value, Sequence) and all(isinstance(axis, int) for axis in value)
    if isinstance(value, str) or not whole:
        raise ConfigError(f"expected 'left', 'right' or axes, got {value!r}").within("expand")
    return tuple(value)


@frozen(kw_only=True)
class Broadcast(Transform):
    """`keys` get the axes of `to`: `(D,)` becomes `(H, W, D)` where `to` is `(H, W, C)`.

    New axes are put where `expand` says, and then every axis but `exclude` is repeated to the length it has in `to`.
    The inverse takes the first of the repetitions.
    """

    name: ClassVar[str] = "broadcast"

    keys: tuple[str, ...] = names(doc="Variables to repeat.")
    to: str = text(doc="The variable whose axes they get.")
    expand: Axes = attrs.field(
        default="left",
        converter=_axes,
        metadata={"doc": "New axes: before those that are there, after them, or at these places of the result."},
    )
    exclude: int | None = integer(-1, optional=True, doc="An axis of the result that keeps its length; None: no axis.")

    def events(self, events: Events) -> Events:
        """Give `keys` the axes of `to`."""
        self._need((*self.keys, self.to), events)
        return {**events, **{key: self._shapes(key, events)[1] for key in self.keys}}

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Repeat each of `keys` that is present."""
        result = dict(data)
        for key in self.keys:
            if key in data:
                before, after = self._shapes(key, events)
                lead = data[key].shape[: data[key].ndim - len(events[key])]
                result[key] = data[key].reshape((*lead, *before)).expand((*lead, *after))
        return result

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """The first repetition of each of `keys` that is present."""
        result = dict(data)
        for key in self.keys:
            if key in data:
                before, after = self._shapes(key, events)
                lead = data[key].shape[: data[key].ndim - len(after)]
                first: Any = (..., *(slice(0, size) for size in before))
                result[key] = data[key][first].reshape((*lead, *events[key]))
        return result

    def _shapes(self, key: str, events: Events) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The event with its new axes, of length 1, and after repetition."""
        event, target = events[key], events[self.to]
        rank, new = len(target), len(target) - len(event)
        try:
            kept = None if self.exclude is None or not rank else axis_of(self.exclude, rank) + rank
            if self.expand == "left":
                places = set(range(new))
            elif self.expand == "right":
                places = set(range(len(event), rank))
            else:
                places = {axis_of(int(axis), rank) + rank for axis in self.expand}
            if new < 0 or len(places) != new:
                raise ValueError(places)
            sizes = iter(event)
            before = tuple(1 if axis in places else next(sizes) for axis in range(rank))
            if any(size not in (1, target[axis]) for axis, size in enumerate(before) if axis != kept):
                raise ValueError(before)
        except ValueError:
            raise self._error(
                f"cannot repeat {key!r} of shape {event} along {self.to!r} of shape {target} with "
                f"expand={self.expand!r}, exclude={self.exclude}\n"
                f"Its axes must be 1 or as there, and {max(new, 0)} new ones are needed.",
                ShapeError,
                variable=key,
                expected=target,
                got=event,
            ) from None
        return before, tuple(size if axis == kept else target[axis] for axis, size in enumerate(before))
