"""The fluent builder: which variables there are, what they are called and how they are transformed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from .._messages import did_you_mean, listing
from ..errors import ConfigError
from .affine import Scale, Shift, Standardize
from .bound import BoundAdapter
from .concatenate import Concatenate
from .constrain import Constrain
from .dtypes import ConvertDtype, ToArray
from .powers import Log, Sqrt
from .selection import Drop, Keep, Rename
from .transform import Transform

__all__ = ["Adapter"]

Names = str | Sequence[str]

_TRANSFORMS: dict[str, type[Transform]] = {
    cls.name: cls
    for cls in (
        Concatenate,
        Constrain,
        ConvertDtype,
        Drop,
        Keep,
        Log,
        Rename,
        Scale,
        Shift,
        Sqrt,
        Standardize,
        ToArray,
    )
}


class Adapter:
    """An ordered list of steps between the user's variables and those that are learnt.

    Each method appends one step and returns the adapter itself. `keys` is one name or a sequence
    of names. Arguments are checked at once (ConfigError); whether they suit the data is checked by
    `bind` (DataError, ShapeError). Numbers may be arrays that broadcast to a variable's event.

    Args:
        transforms: steps to begin with; default none.
    """

    def __init__(self, transforms: Iterable[Transform] = ()) -> None:
        self._transforms = list(transforms)
        for transform in self._transforms:
            if not isinstance(transform, Transform):
                raise ConfigError(f"expected adapter steps, got {transform!r}")

    def rename(self, old: str, new: str) -> Adapter:
        """`old` becomes `new`. Binding fails if there is a variable `new` already."""
        return self._append("rename", old=old, new=new)

    def concatenate(self, keys: Names, into: str) -> Adapter:
        """Join variables along their last axis, in the order of `keys`.

        An event `()` counts as `(1,)`; the inverse splits and restores it. Binding fails if other
        axes differ, or if `into` is there already and not one of `keys`.
        """
        return self._append("concatenate", keys=keys, into=into)

    def drop(self, keys: Names) -> Adapter:
        """Remove variables; the inverse does not bring them back."""
        return self._append("drop", keys=keys)

    def keep(self, keys: Names) -> Adapter:
        """Remove all other variables; the inverse does not bring them back."""
        return self._append("keep", keys=keys)

    def to_array(self, include: Names | None = None) -> Adapter:
        """Booleans and integers become float32, in `include` (default: everywhere); no inverse."""
        return self._append("to_array", include=include)

    def convert_dtype(self, from_dtype: str, to_dtype: str) -> Adapter:
        """Cast each variable of dtype `from_dtype` (`"float64"`, `"int32"`, ...).

        The inverse casts back to a wider floating dtype only.
        """
        return self._append("convert_dtype", from_dtype=from_dtype, to_dtype=to_dtype)

    def log(self, keys: Names, p1: bool = False) -> Adapter:
        """`log x`, or `log(1 + x)` with `p1`. Outside the domain NaN; at its edge -inf."""
        return self._append("log", keys=keys, p1=p1)

    def sqrt(self, keys: Names) -> Adapter:
        """The square root; NaN below zero. The inverse squares: draws below zero are folded."""
        return self._append("sqrt", keys=keys)

    def scale(self, keys: Names, by: Any) -> Adapter:
        """`x * by`; no entry of `by` may be 0."""
        return self._append("scale", keys=keys, by=by)

    def shift(self, keys: Names, by: Any) -> Adapter:
        """`x + by`."""
        return self._append("shift", keys=keys, by=by)

    def standardize(self, keys: Names, mean: Any = None, std: Any = None) -> Adapter:
        """`(x - mean) / std`; both are required and `std` must be > 0.

        Moments are not estimated here: an approximator standardises by itself.
        """
        return self._append("standardize", keys=keys, mean=mean, std=std)

    def constrain(self, keys: Names, lower: Any = None, upper: Any = None) -> Adapter:
        """Bounded to unbounded: logit for two bounds, inverse softplus for one; at least one is needed.

        The inverse never leaves `[lower, upper]`. On a bound the result is finite, outside NaN.
        """
        return self._append("constrain", keys=keys, lower=lower, upper=upper)

    def bind(self, events: Mapping[str, Sequence[int]]) -> BoundAdapter:
        """Fix the event shapes, without leading axes: `{"theta": (3,), "x": (28, 28, 1)}`.

        Raises:
            DataError: a step needs a variable that is not there, or would overwrite one.
            ShapeError: shapes that cannot be joined, or that an array argument does not fit.
        """
        return BoundAdapter(self._transforms, events)

    def copy(self) -> Adapter:
        """An adapter of the same steps, to be extended on its own."""
        return type(self)(self._transforms)

    def to_list(self) -> list[dict[str, Any]]:
        """Plain values, ready for JSON: `[{"name": "log", "keys": ["theta"], "p1": False}, ...]`."""
        return [transform.to_dict() for transform in self._transforms]

    @classmethod
    def from_list(cls, steps: Iterable[Mapping[str, Any]]) -> Adapter:
        """The inverse of `to_list`.

        Raises:
            ConfigError: an unknown step, with a close match, or arguments it cannot have; the
                path of the error is the index in the list, from 0.
        """
        adapter = cls()
        for index, step in enumerate(steps):
            try:
                if not isinstance(step, Mapping) or "name" not in step:
                    raise ConfigError(f"expected a mapping with 'name', got {step!r}")
                arguments = dict(step)
                adapter._append(str(arguments.pop("name")), **arguments)
            except ConfigError as error:
                raise error.within(str(index)) from None
        return adapter

    def _append(self, name: str, /, **arguments: Any) -> Adapter:
        if name not in _TRANSFORMS:
            raise ConfigError(
                f"unknown adapter step {name!r}{did_you_mean(name, _TRANSFORMS)}\nSteps: {listing(_TRANSFORMS)}"
            )
        try:
            self._transforms.append(_TRANSFORMS[name](**arguments))
        except ConfigError as error:
            raise error.within(name) from None
        return self

    def __len__(self) -> int:
        return len(self._transforms)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self._transforms)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Adapter):
            return NotImplemented
        return self._transforms == other._transforms

    def __repr__(self) -> str:
        steps = [f"\n    .{transform.name}({_arguments(transform)})" for transform in self._transforms]
        return "".join(["Adapter()", *steps])


def _arguments(transform: Transform) -> str:
    values = ((field.name, getattr(transform, field.name)) for field in attrs.fields(type(transform)))
    return ", ".join(f"{name}={value!r}" for name, value in values)
