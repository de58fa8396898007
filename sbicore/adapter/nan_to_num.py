"""A number in place of NaN, and a variable that tells where."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import flag, number, text
from .elementwise import floating
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["NanToNum"]


@frozen(kw_only=True)
class NanToNum(Transform):
    """NaN becomes `default_value`; with `return_mask` a variable is added that is 1 where there was a value.

    The inverse makes NaN again where the mask is there and says so; without a mask it changes nothing.
    """

    name: ClassVar[str] = "nan_to_num"

    keys: tuple[str, ...] = names(doc="Variables to fill.")
    default_value: float = number(0.0, doc="What stands for NaN.")
    return_mask: bool = flag(False, doc="Add a variable of the same shape: 1 where there was a value, else 0.")
    mask_prefix: str = text("mask", doc="It is called `<mask_prefix>_<key>`.")

    def events(self, events: Events) -> Events:
        """Add the masks."""
        self._need(self.keys, events)
        for key, mask in self._masks.items():
            if mask in events:
                raise self._error(f"would overwrite {mask!r}\nChoose another mask_prefix.", variable=key)
        return {**events, **{mask: events[key] for key, mask in self._masks.items()}}

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Fill each of `keys` that is present."""
        result = dict(data)
        for key in self.keys:
            if key in data:
                x = floating(data[key])
                result[key] = x.masked_fill(x.isnan(), self.default_value)
                if key in self._masks:
                    result[self._masks[key]] = (~x.isnan()).to(x.dtype)
        return result

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """NaN again, and no mask."""
        import torch

        result = dict(data)
        for key, mask in self._masks.items():
            there = result.pop(mask, None)
            if there is not None and key in data:
                result[key] = data[key].masked_fill(there < 0.5, torch.nan)
        return result

    @property
    def gives_nan(self) -> frozenset[str]:
        """See `Transform`."""
        return frozenset(self._masks)

    @property
    def _masks(self) -> dict[str, str]:
        return {key: f"{self.mask_prefix}_{key}" for key in self.keys} if self.return_mask else {}
