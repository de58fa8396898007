"""An adapter for variables of known event shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._messages import did_you_mean, listing
from ..errors import DataError, ShapeError
from .transform import Events, Transform, numbered

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor

__all__ = ["BoundAdapter"]


class BoundAdapter:
    """What `Adapter.bind` returns. Later changes of the adapter do not reach it.

    Tensors have any number of leading axes, `(*, *event)`. Any subset of the variables may be
    given; the steps of absent ones are skipped.

    Attributes:
        events_in: event shape of each variable before the first step.
        events_out: event shape of each variable after the last step.
    """

    def __init__(self, transforms: Iterable[Transform], events: Mapping[str, Sequence[int]]) -> None:
        current = {str(key): tuple(int(size) for size in shape) for key, shape in events.items()}
        self.events_in: Events = dict(current)
        self._steps: list[tuple[int, Transform, Events]] = []
        for step, transform in enumerate(transforms, start=1):
            self._steps.append((step, transform, current))
            with numbered(step):
                current = transform.events(current)
        self.events_out: Events = dict(current)

    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The variables after all steps; a value outside a step's domain is NaN (log of 0: -inf).

        Raises:
            DataError: a variable that was not bound, or only some of those that a step joins.
            ShapeError: fewer axes than the event, or another number of features.
        """
        current = _checked(data, self.events_in)
        for step, transform, events in self._steps:
            with numbered(step):
                current = transform.forward(current, events)
        return current

    def inverse(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The variables before all steps, from those after; dropped ones do not come back.

        Raises:
            DataError: a variable that is not among `events_out`.
            ShapeError: fewer axes than the event, or another number of features.
        """
        current = _checked(data, self.events_out)
        for step, transform, events in reversed(self._steps):
            with numbered(step):
                current = transform.inverse(current, events)
        return current

    def log_det(self, data: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """`forward(data)`, and log|det J| of that map by final variable, of the leading shape `(*)`.

        A variable without an entry was not changed in volume. Raises what `forward` raises.
        """
        current = _checked(data, self.events_in)
        totals: dict[str, Tensor] = {}
        for step, transform, events in self._steps:
            with numbered(step):
                after = transform.forward(current, events)
                totals = transform.carry(totals)
                for key, value in transform.log_det(current, after, events).items():
                    totals[key] = totals[key] + value if key in totals else value
            current = after
        return current, totals

    def __repr__(self) -> str:
        return f"BoundAdapter({len(self._steps)} steps, {self.events_in} -> {self.events_out})"


def _checked(data: Mapping[str, Tensor], events: Events) -> dict[str, Tensor]:
    for key, value in data.items():
        if key not in events:
            raise DataError(
                f"the adapter was not bound to a variable {key!r}{did_you_mean(key, events)}\n"
                f"It knows: {listing(events)}",
                variable=key,
            )
        event, shape = events[key], tuple(value.shape)
        if len(shape) < len(event) or (event and shape[-1] != event[-1]):
            raise ShapeError(
                f"{key!r} must have shape (*, {', '.join(map(str, event))}), got {shape}"
                if event
                else f"{key!r} must have shape (*), got {shape}",
                variable=key,
                expected=event,
                got=shape,
            )
    return dict(data)
