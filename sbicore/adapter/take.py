"""Some of the entries of an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import integer, sizes
from .transform import Events
from .variablewise import Event, Variablewise, axis_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Take"]

_LOWEST = -(2**53)


@frozen(kw_only=True)
class Take(Variablewise):
    """The entries `indices` of an axis, in that order; a mere change of order can be undone, and nothing else."""

    name: ClassVar[str] = "take"
    needs: ClassVar[str] = "an axis that has these indices"
    arithmetic: ClassVar[bool] = False

    indices: tuple[int, ...] = sizes(ge=_LOWEST, doc="Which entries, from 0; negative ones count from the end.")
    axis: int = integer(-1, doc="An axis of the event; -1: the last.")

    def __attrs_post_init__(self) -> None:
        twice = [index for index in self.indices if self.indices.count(index) > 1]
        if twice:
            raise ConfigError(f"{twice[0]} is given twice\nGive it once.").within("indices")

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """The old order.

        Raises:
            DataError: entries are gone.
        """
        for key in self.keys:
            size = events[key][axis_of(self.axis, len(events[key]))]
            if key in data and len(self.indices) < size:
                raise self._error(
                    f"cannot bring back what it leaves out of {key!r}, so {key!r} cannot be inferred\n"
                    "Give what is to be inferred as a variable of its own.",
                    variable=key,
                )
        return super().inverse(data, events)

    def _after(self, event: Event) -> Event:
        at = axis_of(self.axis, len(event)) + len(event)
        places = {axis_of(index, event[at]) for index in self.indices}
        if len(places) < len(self.indices):
            raise ValueError(event)
        return (*event[:at], len(self.indices), *event[at + 1 :])

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        import torch

        axis = axis_of(self.axis, len(event))
        places = torch.tensor(self.indices, device=x.device) % x.shape[axis]
        return x.index_select(axis, places)

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        import torch

        axis = axis_of(self.axis, len(event))
        places = torch.tensor(self.indices, device=y.device) % y.shape[axis]
        return y.index_select(axis, places.argsort())
