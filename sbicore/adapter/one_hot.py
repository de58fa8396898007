"""Categories as vectors with a single 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .._messages import listing
from ..config import frozen
from ..errors import ConfigError
from ..fields import integer, sizes
from .elementwise import constant
from .transform import Events
from .variablewise import Event, Variablewise

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OneHot"]

_LOWEST = -(2**53)


@frozen(kw_only=True)
class OneHot(Variablewise):
    """Whole numbers as vectors along a new last axis; NaN stays NaN.

    The categories are 0 to `num_classes - 1`, or those of `categories` in their order. The inverse takes the one with
    the largest entry, and gives floating numbers.
    """

    name: ClassVar[str] = "one_hot"
    discrete: ClassVar[bool] = True

    num_classes: int | None = integer(None, ge=2, optional=True, doc="How many categories there are, from 0.")
    categories: tuple[int, ...] = sizes((), ge=_LOWEST, nonempty=False, doc="In its place: the categories.")

    def __attrs_post_init__(self) -> None:
        if (self.num_classes is None) == (not self.categories):
            raise ConfigError("takes num_classes or categories, one of the two").within("num_classes")
        if self.categories and len(set(self.categories)) < max(2, len(self.categories)):
            raise ConfigError(f"expected two or more different categories, got {list(self.categories)}").within(
                "categories"
            )

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Map each of `keys` that is present; DataError for a category that there is not."""
        for key in self.keys:
            if key in data:
                self._require_known(key, self._value(data[key]))
        return super().forward(data, events)

    def _after(self, event: Event) -> Event:
        return (*event, len(self._known))

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        import torch

        there = (x.unsqueeze(-1) == constant(self._known, x)).to(x.dtype)
        return torch.where(x.isnan().unsqueeze(-1), torch.nan, there)

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        return constant(self._known, y)[y.argmax(-1)]

    @property
    def _known(self) -> tuple[int, ...]:
        return self.categories or tuple(range(self.num_classes or 0))

    def _require_known(self, key: str, x: Tensor) -> None:
        import torch

        bad = ~(x.isnan() | torch.isin(x, constant(self._known, x)))
        if bool(bad.any()):
            values = [f"{value:g}" for value in x[bad].unique().tolist()]
            known = self._known if len(self._known) <= 20 else (*self._known[:10], "...", *self._known[-5:])
            raise self._error(
                f"does not know {listing(values[:5])} of {key!r}\nKnown categories: {', '.join(map(str, known))}",
                variable=key,
            )
