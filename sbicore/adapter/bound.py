"""An adapter for variables of known event shapes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._messages import did_you_mean, listing
from ..errors import DataError, ShapeError
from .constrain import Constrain
from .transform import Events, Transform, located

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from torch import Tensor

__all__ = ["BoundAdapter", "no_density"]


class BoundAdapter:
    """What `Adapter.bind` returns. Later changes of the adapter do not reach it.

    Tensors have any number of leading axes, `(*, *event)`. Any subset of the variables may be
    given; the steps of absent ones are skipped.

    Attributes:
        events_in: event shape of each variable before the first step.
        events_out: event shape of each variable after the last step.
        removed: by variable that is not there any more, the step after which it is gone.
    """

    def __init__(self, transforms: Iterable[Transform], events: Mapping[str, Sequence[int]], ahead: int = 0) -> None:
        current = {str(key): tuple(int(size) for size in shape) for key, shape in events.items()}
        self.events_in: Events = dict(current)
        self.removed: dict[str, str] = {}
        self._steps: list[tuple[str, Transform, Events]] = []
        for step, transform in enumerate(transforms, start=1 - ahead):
            place = f"adapter step {step} ({transform.name})" if step > 0 else "bounds"
            self._steps.append((place, transform, current))
            with located(place):
                after = transform.events(current)
            self.removed.update({key: place for key in current if key not in after})
            current = after
        self.events_out: Events = dict(current)

    def forward(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The variables after all steps; a value outside a step's domain is NaN (log of 0: -inf).

        Raises:
            DataError: a variable that was not bound, or only some of those that a step joins.
            ShapeError: fewer axes than the event, or another number of features.
        """
        current = _checked(data, self.events_in)
        for place, transform, events in self._steps:
            with located(place):
                current = transform.forward(current, events)
        return current

    def inverse(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The variables before all steps, from those after; dropped ones do not come back.

        Raises:
            DataError: a variable that is not among `events_out`.
            ShapeError: fewer axes than the event, or another number of features.
        """
        current = _checked(data, self.events_out)
        for place, transform, events in reversed(self._steps):
            with located(place):
                current = transform.inverse(current, events)
        return current

    def log_det(self, data: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """`forward(data)`, and log|det J| of that map by final variable, of the leading shape `(*)`.

        A variable without an entry was not changed in volume. Raises what `forward` raises, and DataError for a
        category, which has no density.
        """
        current = _checked(data, self.events_in)
        totals: dict[str, Tensor] = {}
        for place, transform, events in self._steps:
            if transform.discrete and (found := sorted(transform.named & current.keys())):
                raise no_density(found[0], f" ({place})")
            with located(place):
                after = transform.forward(current, events)
                totals = transform.carry(totals)
                for key, value in transform.log_det(current, after, events).items():
                    totals[key] = totals[key] + value if key in totals else value
            current = after
        return current, totals

    def inside(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Variables before all steps, which a change of dtype may have moved over bounds set first, inside again."""
        result, seen = dict(data), set[str]()
        for _, transform, _ in self._steps:
            if isinstance(transform, Constrain):
                fresh = [key for key in transform.keys if key in result and key not in seen]
                result.update({key: transform.inside(result[key]) for key in fresh})
            seen |= transform.named
        return result

    @property
    def gives_nan(self) -> frozenset[str]:
        """The variables before all steps in which NaN is a value like others on the way back."""
        return frozenset().union(*(transform.gives_nan for _, transform, _ in self._steps)) & self.events_in.keys()

    def spoiled(self, data: Mapping[str, Tensor]) -> Iterator[tuple[str, str, Tensor]]:
        """Steps that make what is not finite of what is: where, of which variable, and the rows `(N,)`."""
        current = _checked(data, self.events_in)
        before = {key: _not_finite(value) for key, value in current.items()}
        for place, transform, events in self._steps:
            with located(place):
                current = transform.forward(current, events)
            after = {key: _not_finite(value) for key, value in current.items()}
            for key, rows in after.items():
                if key in before and bool((rows & ~before[key]).any()):
                    yield place, key, rows & ~before[key]
            before = after

    def require_inverse(self, data: Mapping[str, Tensor]) -> None:
        """Raise DataError where a function of the user's does not undo another at these values `(N, *event)`."""
        current = _checked(data, self.events_in)
        for place, transform, events in self._steps:
            with located(place):
                transform.require_inverse(current, events)
                current = transform.forward(current, events)

    def made_of(self, name: str) -> frozenset[str] | None:
        """The variables before all steps that this one after them is made of; None where the steps do not tell."""
        found: dict[str, Any] = {key: _Names({key}) for key in self.events_in}
        for _, transform, _ in self._steps:
            found = transform.carry(found)
        return found.get(name)

    def __repr__(self) -> str:
        return f"BoundAdapter({len(self._steps)} steps, {self.events_in} -> {self.events_out})"


def no_density(name: str, place: str = "") -> DataError:
    """That a category was asked for its density."""
    return DataError(
        f"{name!r} is a category{place} and has no density\nTake the shares of its values among sample(...).",
        variable=name,
    )


def _not_finite(value: Tensor) -> Tensor:
    return ~value.isfinite().reshape(len(value), -1).all(1)


class _Names(frozenset[str]):
    """Names that go along with log-determinants, and join where these add."""

    def __add__(self, other: frozenset[str]) -> _Names:
        return _Names(self | other)


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
