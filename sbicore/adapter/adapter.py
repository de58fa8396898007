"""The fluent builder: which variables there are, what they are called and how they are transformed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from .._messages import did_you_mean, listing
from ..errors import ConfigError
from .bound import BoundAdapter
from .steps import STEPS
from .transform import Transform

__all__ = ["Adapter"]

Names = str | Sequence[str]


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

    def map_dtype(self, keys: Names, to_dtype: str) -> Adapter:
        """Cast `keys` to a dtype; no inverse."""
        return self._append("map_dtype", keys=keys, to_dtype=to_dtype)

    def log(self, keys: Names, p1: bool = False) -> Adapter:
        """`log x`, or `log(1 + x)` with `p1`. Outside the domain NaN; at its edge -inf."""
        return self._append("log", keys=keys, p1=p1)

    def sqrt(self, keys: Names) -> Adapter:
        """The square root; NaN below zero. The inverse squares: draws below zero are folded."""
        return self._append("sqrt", keys=keys)

    def apply(self, keys: Names, forward: Any, inverse: Any = None, elementwise: bool = False) -> Adapter:
        """Apply a function by its name, or one of yours.

        Args:
            keys: variables, each given to the function alone, with leading axes.
            forward: of torch, such as `"exp"`, or `"package.module:function"`; also the function itself, where it can
                be imported, so not a lambda.
            inverse: what undoes it; known for pairs such as `exp` and `log`, needed for what is inferred.
            elementwise: a function of yours maps each number by itself, as those of torch do; otherwise what goes
                through it has no density.
        """
        return self._append("apply", keys=keys, forward=forward, inverse=inverse, elementwise=elementwise)

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

    def constrain(
        self,
        keys: Names,
        lower: Any = None,
        upper: Any = None,
        method: str = "default",
        inclusive: Any = "both",
        epsilon: float | None = None,
    ) -> Adapter:
        """Bounded to unbounded; the inverse never leaves `[lower, upper]`. At least one bound is needed.

        Args:
            keys, lower, upper: variables and their bounds, which may be arrays.
            method: for two bounds `"sigmoid"` (also called `"logit"`); for one `"softplus"`, the default, or `"exp"`.
            inclusive: bounds that are possible values: `"both"`, `"lower"`, `"upper"`, `"none"`. A value on such a
                bound is finite, any other that is not inside becomes NaN.
            epsilon: how far inclusive bounds are moved out, so that values on them are not far out; by default
                they are moved inside by as little as the dtype allows.
        """
        return self._append(
            "constrain", keys=keys, lower=lower, upper=upper, method=method, inclusive=inclusive, epsilon=epsilon
        )

    def as_covariance_matrix(
        self, keys: Names, cholesky: bool = False, diag_kwargs: Mapping[str, Any] | None = None
    ) -> Adapter:
        """Covariance matrices `(K, K)` to K (K + 1) / 2 free numbers; what is not positive definite becomes NaN.

        Args:
            keys: variables.
            cholesky: they hold lower triangular factors.
            diag_kwargs: `method`, `inclusive` and `epsilon` of `constrain` for the diagonal of the factor.
        """
        return self._append("as_covariance_matrix", keys=keys, cholesky=cholesky, diag_kwargs=diag_kwargs)

    def as_precision_matrix(
        self, keys: Names, cholesky: bool = False, diag_kwargs: Mapping[str, Any] | None = None
    ) -> Adapter:
        """Precision matrices `P = A' A` likewise; `A` is the inverse of their covariance's factor."""
        return self._append("as_precision_matrix", keys=keys, cholesky=cholesky, diag_kwargs=diag_kwargs)

    def as_correlation_matrix(self, keys: Names, cholesky: bool = False) -> Adapter:
        """Correlation matrices `(K, K)` to K (K - 1) / 2 free numbers; other values become NaN."""
        return self._append("as_correlation_matrix", keys=keys, cholesky=cholesky)

    def as_simplex(self, keys: Names, axis: int = -1, method: str = "default") -> Adapter:
        """K shares above 0 that add up to 1, to K - 1 free numbers; other values become NaN.

        `"simplex"`, the default, treats all alike; `"stick"` breaks off one after the other.
        """
        return self._append("as_simplex", keys=keys, axis=axis, method=method)

    def one_hot(self, keys: Names, num_classes: int | None = None, categories: Sequence[int] = ()) -> Adapter:
        """Categories, 0 to `num_classes - 1` or those given, as vectors with a single 1 along a new last axis.

        Another value is a DataError that tells the known ones; the inverse takes the largest entry.
        """
        return self._append("one_hot", keys=keys, num_classes=num_classes, categories=categories)

    def nan_to_num(
        self, keys: Names, default_value: float = 0.0, return_mask: bool = False, mask_prefix: str = "mask"
    ) -> Adapter:
        """NaN becomes `default_value`; `return_mask` adds `<mask_prefix>_<key>`, 1 where there was a value.

        The inverse makes NaN again where there is such a mask.
        """
        return self._append(
            "nan_to_num", keys=keys, default_value=default_value, return_mask=return_mask, mask_prefix=mask_prefix
        )

    def as_set(self, keys: Names) -> Adapter:
        """Entries with features: an event `(N,)` becomes `(N, 1)`, `()` becomes `(1, 1)`, others stay."""
        return self._append("as_set", keys=keys)

    def as_time_series(self, keys: Names) -> Adapter:
        """Steps with features, in the same way."""
        return self._append("as_time_series", keys=keys)

    def expand_dims(self, keys: Names, axis: int) -> Adapter:
        """A new axis of length 1 at `axis` of the event, which has no leading axes."""
        return self._append("expand_dims", keys=keys, axis=axis)

    def squeeze(self, keys: Names, axis: int) -> Adapter:
        """Remove an axis of length 1 of the event."""
        return self._append("squeeze", keys=keys, axis=axis)

    def broadcast(self, keys: Names, to: str, expand: Any = "left", exclude: int | None = -1) -> Adapter:
        """Repeat along the axes of another variable: `(D,)` becomes `(H, W, D)` where `to` is `(H, W, C)`.

        Args:
            keys: variables to repeat.
            to: the variable whose axes they get.
            expand: new axes: before those that are there (`"left"`), after them, or at these places of the result.
            exclude: an axis of the result that keeps its length.
        """
        return self._append("broadcast", keys=keys, to=to, expand=expand, exclude=exclude)

    def split(self, key: str, into: Sequence[str], indices_or_sections: Any, axis: int = -1) -> Adapter:
        """Cut a variable into several, as `np.split` does; the inverse joins them."""
        return self._append("split", key=key, into=into, indices_or_sections=indices_or_sections, axis=axis)

    def take(self, keys: Names, indices: Sequence[int], axis: int = -1) -> Adapter:
        """Some entries of an axis, in this order; what is inferred may only be put in another order."""
        return self._append("take", keys=keys, indices=indices, axis=axis)

    def bind(self, events: Mapping[str, Sequence[int]], *, ahead: int = 0) -> BoundAdapter:
        """Fix the event shapes, without leading axes: `{"theta": (3,), "x": (28, 28, 1)}`.

        Errors number the steps from 1, after the `ahead` first ones, which they call bounds.

        Raises:
            DataError: a step needs a variable that is not there, or would overwrite one.
            ShapeError: shapes that cannot be joined, or that an array argument does not fit.
        """
        return BoundAdapter(self._transforms, events, ahead)

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
        if name not in STEPS:
            raise ConfigError(f"unknown adapter step {name!r}{did_you_mean(name, STEPS)}\nSteps: {listing(STEPS)}")
        try:
            self._transforms.append(STEPS[name](**arguments))
        except ConfigError as error:
            raise error.within(name) from None
        return self

    if not TYPE_CHECKING:  # type checkers know the steps, and tell a misspelt one themselves

        def __getattr__(self, name):
            near = "" if name.startswith("_") else did_you_mean(name, STEPS)
            raise AttributeError(f"An adapter has no step {name!r}{near}\nSteps: {listing(STEPS)}")

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
    values = ((field.alias or field.name, getattr(transform, field.name)) for field in attrs.fields(type(transform)))
    return ", ".join(f"{name}={value!r}" for name, value in values)
