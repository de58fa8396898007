"""Cut a variable into several."""

from __future__ import annotations

import operator
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

__all__ = ["Split"]


def _cuts(value: Any) -> int | tuple[int, ...]:
    several = value.tolist() if hasattr(value, "tolist") else value
    try:
        if isinstance(several, Sequence) and not isinstance(several, str):
            return tuple(operator.index(cut) for cut in several)
        return operator.index(several)
    except TypeError:
        raise ConfigError(f"expected a number of parts or where to cut, got {value!r}").within(
            "indices_or_sections"
        ) from None


@frozen(kw_only=True)
class Split(Transform):
    """`key` becomes the variables `into`, cut as `np.split` does; the inverse joins them."""

    name: ClassVar[str] = "split"

    key: str = text(doc="Variable to cut.")
    into: tuple[str, ...] = names(doc="Names of the parts, in order.")
    indices_or_sections: int | tuple[int, ...] = attrs.field(
        converter=_cuts,
        metadata={"doc": "How many equal parts there are, or the entries at which a new part begins."},
    )
    axis: int = integer(-1, doc="An axis of the event; -1: the last.")

    def __attrs_post_init__(self) -> None:
        cuts = self.indices_or_sections
        parts = cuts if isinstance(cuts, int) else len(cuts) + 1
        if len(self.into) != parts or parts < 1:
            raise ConfigError(f"makes {parts} parts, and into names {len(self.into)}").within("indices_or_sections")
        if not isinstance(cuts, int) and any(a >= b for a, b in zip((0, *cuts), cuts, strict=False)):
            raise ConfigError(f"must increase from above 0, got {list(cuts)}").within("indices_or_sections")

    def events(self, events: Events) -> Events:
        """Put the parts in place of the whole."""
        self._need((self.key,), events)
        for name in self.into:
            if name in events and name != self.key:
                raise self._error(f"would overwrite {name!r}\nChoose another name.", variable=name)
        event = events[self.key]
        try:
            at = axis_of(self.axis, len(event)) + len(event)
            lengths = self._lengths(event[at])
        except ValueError:
            raise self._error(
                f"cannot cut axis {self.axis} of {self.key!r}, which has shape {event}, by {self.indices_or_sections}",
                ShapeError,
                variable=self.key,
                got=event,
            ) from None
        parts = {name: (*event[:at], length, *event[at + 1 :]) for name, length in zip(self.into, lengths, strict=True)}
        return self._replaced(events, parts)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Cut `key`, if present."""
        if self.key not in data:
            return dict(data)
        axis = axis_of(self.axis, len(events[self.key]))
        pieces = data[self.key].split(self._lengths(data[self.key].shape[axis]), dim=axis)
        return self._replaced(data, dict(zip(self.into, pieces, strict=True)))

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Join the parts; skipped where all of them are absent, DataError where only some are."""
        import torch

        if not any(name in data for name in self.into):
            return dict(data)
        self._need(self.into, data)
        axis = axis_of(self.axis, len(events[self.key]))
        others = {name: value for name, value in data.items() if name not in self.into}
        return {**others, self.key: torch.cat([data[name] for name in self.into], dim=axis)}

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """That of the whole goes with the first part; they are inferred together or not at all."""
        if self.key not in log_dets:
            return dict(log_dets)
        return self._replaced(log_dets, {self.into[0]: log_dets[self.key]})

    def _lengths(self, size: int) -> list[int]:
        cuts = self.indices_or_sections
        if isinstance(cuts, int):
            if size % cuts:
                raise ValueError(size)
            return [size // cuts] * cuts
        lengths = [b - a for a, b in zip((0, *cuts), (*cuts, size), strict=True)]
        if lengths[-1] < 1:
            raise ValueError(size)
        return lengths

    def _replaced(self, values: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
        return {**{name: value for name, value in values.items() if name != self.key}, **parts}
