"""Steps that change the dtype and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import choice
from .elementwise import floating
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DTYPES", "ConvertDtype", "MapDtype", "ToArray"]

DTYPES = (
    "bool",
    "uint8",
    "int8",
    "int16",
    "int32",
    "int64",
    "float16",
    "bfloat16",
    "float32",
    "float64",
)
_FLOAT_BITS = {"float16": 16, "bfloat16": 16, "float32": 32, "float64": 64}


@frozen(kw_only=True)
class ToArray(Transform):
    """Booleans and integers become float32; the inverse leaves them floating (and differentiable)."""

    name: ClassVar[str] = "to_array"

    include: tuple[str, ...] | None = names(None, optional=True, doc="Variables to convert; None means all of them.")

    def events(self, events: Events) -> Events:
        """Check that `include` exists; shapes stay."""
        self._need(self.include or (), events)
        return dict(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Make the chosen variables floating."""
        chosen = data if self.include is None else self.include
        return {key: floating(value) if key in chosen else value for key, value in data.items()}


@frozen(kw_only=True)
class ConvertDtype(Transform):
    """Casts each variable of dtype `from_dtype`.

    The inverse casts back where that loses nothing: to a wider floating dtype. It does not return
    to integers or booleans, which would truncate draws and cut gradients.
    """

    name: ClassVar[str] = "convert_dtype"

    from_dtype: str = choice(options=DTYPES, doc="The dtype to convert, such as `float64`.")
    to_dtype: str = choice(options=DTYPES, doc="The dtype that results, such as `float32`.")

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Cast from `from_dtype`."""
        return _cast(data, self.from_dtype, self.to_dtype)

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Cast back to a wider floating dtype, or leave as it is."""
        if _FLOAT_BITS.get(self.from_dtype, 0) > _FLOAT_BITS.get(self.to_dtype, 64):
            return _cast(data, self.to_dtype, self.from_dtype)
        return dict(data)


@frozen(kw_only=True)
class MapDtype(Transform):
    """Casts `keys`, whatever dtype they have; the inverse leaves them as they are."""

    name: ClassVar[str] = "map_dtype"

    keys: tuple[str, ...] = names(doc="Variables to cast.")
    to_dtype: str = choice(options=DTYPES, doc="The dtype that results, such as `float32`.")

    def events(self, events: Events) -> Events:
        """Check that `keys` exist; shapes stay."""
        self._need(self.keys, events)
        return dict(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Cast each of `keys` that is present."""
        import torch

        new = getattr(torch, self.to_dtype)
        return {key: value.to(new) if key in self.keys else value for key, value in data.items()}


def _cast(data: dict[str, Tensor], from_dtype: str, to_dtype: str) -> dict[str, Tensor]:
    import torch

    old, new = getattr(torch, from_dtype), getattr(torch, to_dtype)
    return {key: value.to(new) if value.dtype == old else value for key, value in data.items()}
