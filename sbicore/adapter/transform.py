"""What one adapter step is: a frozen, torch-free description that maps named tensors both ways."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from .._messages import did_you_mean, listing
from ..config import Hyperparameters, frozen
from ..errors import ConfigError, DataError, SbicoreError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Events", "Transform", "located", "names"]

Events = dict[str, tuple[int, ...]]


@frozen(kw_only=True)
class Transform(Hyperparameters):
    """Base of all steps. `events` always holds the event shapes *before* this step.

    Tensors have any number of leading axes before the axes of their event. Variables that are
    absent from the data are skipped. A value outside the domain becomes NaN (log of 0: -inf).
    """

    name: ClassVar[str]
    discrete: ClassVar[bool] = False
    """Whether its variables are categories, which have probabilities and no density."""

    def events(self, events: Events) -> Events:
        """Event shapes after this step.

        Raises:
            DataError: a variable that the step needs is missing, or would be overwritten.
            ShapeError: shapes that the step cannot work with.
        """
        return dict(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """The variables after this step."""
        return dict(data)

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """The variables before this step, from those after it."""
        return dict(data)

    def log_det(
        self, data_before: dict[str, Tensor], data_after: dict[str, Tensor], events: Events
    ) -> dict[str, Tensor]:
        """Forward log|det J| by variable, summed over event axes; none where it is zero."""
        return {}

    def require_inverse(self, data: dict[str, Tensor], events: Events) -> None:
        """Raise DataError where `inverse` does not lead back to `data`; for steps whose inverse the user gives."""

    def carry(self, log_dets: dict[str, Tensor]) -> dict[str, Tensor]:
        """Log-determinants of earlier steps, under the names after this step."""
        return dict(log_dets)

    @property
    def gives_nan(self) -> frozenset[str]:
        """Variables in which NaN is a value like others on the way back."""
        return frozenset()

    @property
    def named(self) -> set[str]:
        """All variables that its arguments may name."""
        values = (getattr(self, field.name) for field in attrs.fields(type(self)))
        parts = (value if isinstance(value, tuple) else (value,) for value in values)
        return {part for value in parts for part in value if isinstance(part, str)}

    @property
    def functions(self) -> tuple[str, ...]:
        """Import paths of the functions of the user's that it calls."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """The saved form: `{"name": ..., **arguments}`."""
        return {"name": self.name, **super().to_dict()}

    def _need(self, keys: Iterable[str], found: Mapping[str, Any]) -> None:
        for key in keys:
            if key not in found:
                raise self._error(f"needs {key!r}{did_you_mean(key, found)}\nFound: {listing(found)}", variable=key)

    def _error(self, message: str, cls: type[DataError] = DataError, **facts: Any) -> DataError:
        return cls(f"adapter ({self.name}) {message}", **facts)

    @classmethod
    def _title(cls) -> str:
        return cls.name


@contextlib.contextmanager
def located(place: str) -> Iterator[None]:
    """Errors from inside say in which step of an adapter they arose."""
    try:
        yield
    except SbicoreError as error:
        error.message = re.sub(r"^adapter \(\w+\)", place, error.message)
        raise


def names(default: Any = attrs.NOTHING, *, optional: bool = False, doc: str) -> Any:
    """A field that holds one or more different variable names; a string is one name."""

    def convert(value: Any, field: attrs.Attribute[Any]) -> tuple[str, ...] | None:
        if value is None and optional:
            return None
        keys = (value,) if isinstance(value, str) else value
        try:
            return _distinct(keys)
        except ConfigError as error:
            raise error.within(field.name) from None

    return attrs.field(
        default=default,
        converter=attrs.Converter(convert, takes_field=True),
        metadata={"doc": doc, "type": "names", "optional": optional},
    )


def _distinct(keys: Any) -> tuple[str, ...]:
    if not isinstance(keys, Sequence) or not all(isinstance(key, str) for key in keys):
        raise ConfigError(f"expected a name or a sequence of names, got {keys!r}")
    if not keys:
        raise ConfigError("must name at least one variable")
    for key in keys:
        if keys.count(key) > 1:
            raise ConfigError(f"{key!r} is given twice\nGive it once.")
    return tuple(keys)
