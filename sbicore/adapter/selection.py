"""Steps that choose and name variables: rename, drop, keep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import text
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Drop", "Keep", "Rename"]

V = TypeVar("V")


@frozen(kw_only=True)
class Rename(Transform):
    """`old` becomes `new`; the inverse restores `old`."""

    name: ClassVar[str] = "rename"

    old: str = text(doc="Name before.")
    new: str = text(doc="Name after.")

    def __attrs_post_init__(self) -> None:
        if self.old == self.new:
            raise ConfigError(f"old and new are both {self.old!r}\nLeave this step out.").within("new")

    def events(self, events: Events) -> Events:
        """Give the shape of `old` to `new`."""
        self._need((self.old,), events)
        if self.new in events:
            raise self._error(
                f"would overwrite {self.new!r} with {self.old!r}\nDrop {self.new!r} first, or choose another name.",
                variable=self.new,
            )
        return _renamed(events, self.old, self.new)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Name `old` `new`."""
        return _renamed(data, self.old, self.new)

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Name `new` `old`."""
        return _renamed(data, self.new, self.old)

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Move the log-determinant of `old` to `new`."""
        return _renamed(log_dets, self.old, self.new)


@frozen(kw_only=True)
class Drop(Transform):
    """Removes `keys`; the inverse does not bring them back."""

    name: ClassVar[str] = "drop"

    keys: tuple[str, ...] = names(doc="Variables to remove.")

    def events(self, events: Events) -> Events:
        """Leave `keys` out."""
        self._need(self.keys, events)
        return self._remaining(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Leave `keys` out."""
        return self._remaining(data)

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Leave `keys` out."""
        return self._remaining(log_dets)

    def if_there(self) -> Drop:
        """The same for variables that may be absent already."""
        return _DropIfThere(keys=self.keys)

    def _remaining(self, values: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key not in self.keys}


@frozen(kw_only=True)
class _DropIfThere(Drop):
    def events(self, events: Events) -> Events:
        """Leave `keys` out."""
        return self._remaining(events)


@frozen(kw_only=True)
class Keep(Transform):
    """Removes all but `keys`; the inverse does not bring the others back."""

    name: ClassVar[str] = "keep"

    keys: tuple[str, ...] = names(doc="Variables to keep.")

    def events(self, events: Events) -> Events:
        """Leave out all but `keys`."""
        self._need(self.keys, events)
        return self._kept(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Leave out all but `keys`."""
        return self._kept(data)

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Leave out all but `keys`."""
        return self._kept(log_dets)

    def _kept(self, values: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in values.items() if key in self.keys}


def _renamed(values: dict[str, V], old: str, new: str) -> dict[str, V]:
    return {new if key == old else key: value for key, value in values.items()}
