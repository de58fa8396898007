"""Join variables along their last axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import frozen
from ..errors import ShapeError
from ..fields import text
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Concatenate"]


@frozen(kw_only=True)
class Concatenate(Transform):
    """`keys`, in order, become `into`; an event `()` counts as `(1,)` and the inverse restores it."""

    name: ClassVar[str] = "concatenate"

    keys: tuple[str, ...] = names(doc="Variables to join, in order.")
    into: str = text(doc="Name of the result.")

    def events(self, events: Events) -> Events:
        """Put the joined variable in place of its parts."""
        self._need(self.keys, events)
        if self.into in events and self.into not in self.keys:
            raise self._error(
                f"would overwrite {self.into!r}\nDrop {self.into!r} first, or choose another name.",
                variable=self.into,
            )
        shapes = {key: events[key] or (1,) for key in self.keys}
        first = self.keys[0]
        for key, shape in shapes.items():
            if shape[:-1] != shapes[first][:-1]:
                raise self._mismatch(first, events[first], key, events[key])
        joined = (*shapes[first][:-1], sum(shape[-1] for shape in shapes.values()))
        return self._replaced(events, joined)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Join the parts; skipped where all of them are absent, DataError where only some are."""
        import torch

        if not any(key in data for key in self.keys):
            return dict(data)
        self._need(self.keys, data)
        parts = {key: data[key] if events[key] else data[key].unsqueeze(-1) for key in self.keys}
        first = self.keys[0]
        for key, part in parts.items():
            if part.shape[:-1] != parts[first].shape[:-1]:
                raise self._mismatch(first, tuple(data[first].shape), key, tuple(data[key].shape))
        return self._replaced(data, torch.cat(list(parts.values()), dim=-1))

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Split `into` into its parts."""
        import torch

        if self.into not in data:
            return dict(data)
        sizes = [events[key][-1] if events[key] else 1 for key in self.keys]
        pieces = torch.split(data[self.into], sizes, dim=-1)
        parts = dict(zip(self.keys, pieces, strict=True))
        others = {key: value for key, value in data.items() if key != self.into}
        return {**others, **{key: part if events[key] else part.squeeze(-1) for key, part in parts.items()}}

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Sum over the parts."""
        parts = [log_dets[key] for key in self.keys if key in log_dets]
        if not parts:
            return dict(log_dets)
        return self._replaced(log_dets, sum(parts[1:], start=parts[0]))

    def _replaced(self, values: dict[str, Any], joined: Any) -> dict[str, Any]:
        """`values` with the joined one in place of its parts."""
        others = {key: value for key, value in values.items() if key not in self.keys}
        return {**others, self.into: joined}

    def _mismatch(self, first: str, expected: tuple[int, ...], key: str, got: tuple[int, ...]) -> Exception:
        return self._error(
            f"cannot join {first!r} of shape {expected} and {key!r} of shape {got}\n"
            "All axes but the last must be equal.",
            ShapeError,
            variable=key,
            expected=expected,
            got=got,
        )
