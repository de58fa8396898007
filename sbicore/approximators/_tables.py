"""Data frames and labelled arrays as dicts of arrays; categories that are remembered."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from .._messages import close_match, listing
from ..errors import DataError, ShapeError

__all__ = [
    "as_columns",
    "counts_rows",
    "labels_at",
    "learned_categories",
    "learned_dims",
    "one_hot",
    "require_order",
    "require_row_axis",
]


def as_columns(data: Any, known: Collection[str] = ()) -> Any:
    """Columns of a data frame by name, and variables of a labelled data set; anything else as it is.

    Raises:
        DataError: two columns of one name, or one of text that is not among the `known` categorical ones.
        ShapeError: variables whose first dimensions differ.
    """
    if isinstance(data, Mapping):
        firsts = {name: dims[:1] for name, dims in _dims(data).items()}
        if len(set(firsts.values())) > 1:
            found = listing(f"{name} {first}" for name, first in firsts.items())
            raise ShapeError(f"The first dimension is that of the rows, but it differs: {found}")
        return data
    if not _is_frame(data):
        return data
    return {str(name): data[name] if str(name) in known else _column(str(name), data[name]) for name in data.columns}


def learned_categories(data: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The categories of all categorical columns."""
    return {name: found for name, value in data.items() if (found := _categories(value)) is not None}


def learned_dims(data: Mapping[str, Any]) -> dict[str, list[str]]:
    """The names of the axes of an event, for all variables that have them."""
    return {name: [str(dim) for dim in dims[1:]] for name, dims in _dims(data).items()}


def require_order(data: Mapping[str, Any], known: Mapping[str, Sequence[str]], what: str) -> None:
    """Raise ShapeError where the named axes of an event are not the last ones, in their order."""
    for name, given in _dims(data).items():
        event, dims = list(known.get(name, ())), [str(dim) for dim in given]
        if event and set(event) <= set(dims) and dims[-len(event) :] != event:
            raise ShapeError(
                f"{what}: {name!r} has the dimensions {listing(dims)}, which end in the first data with "
                f"{listing(event)}\nGive: {name}.transpose(..., {', '.join(map(repr, event))})",
                variable=name,
            )


def counts_rows(data: Any) -> bool:
    """Whether the first axis is that of the rows by what the data are: a data frame, or a labelled data set."""
    return hasattr(data, "data_vars") or _is_frame(data)


def require_row_axis(
    data: Mapping[str, Any], events: Mapping[str, tuple[int, ...]], known: Mapping[str, Sequence[str]], what: str
) -> None:
    """Raise ShapeError where rows that are counted are as many as an event has entries, and would be taken for one.

    Args:
        data: columns, or the variables of a labelled data set.
        events: event shapes of those that are looked at.
        known: names of the axes of an event; a variable with these alone is a single one.
        what: how the error names these data.
    """
    for name in events.keys() & data.keys():
        value, event = data[name], events[name]
        if isinstance(value, list):  # of arrays, one in each row
            continue
        shape, dims = tuple(np.shape(value)), [str(dim) for dim in getattr(value, "dims", ())]
        if not event or len(shape) != len(event) or shape[0] == 1 or (dims and dims == list(known.get(name, ()))):
            continue
        axes = ", ".join(map(str, event))
        raise ShapeError(
            f"{what}: {name!r} has shape {shape}, expected (N, {axes}): its first axis is that of the rows\n"
            + (
                f"Of a single observation give {name}.expand_dims('row')."
                if dims
                else f"Give a column with an array in each row, or {{{name!r}: frame[columns].to_numpy()}}."
            ),
            variable=name,
            expected=event,
            got=shape,
        )


def one_hot(
    data: Mapping[str, Any],
    known: Mapping[str, Sequence[Any]],
    what: str,
    *,
    lead: int = 1,
    soft: Collection[str] = (),
) -> dict[str, Any]:
    """Categorical variables as `(N, K)`, with `lead=2` `(O, n, K)`, with a one for the category; others as they are.

    Those that come as vectors have a single one, but for `soft` ones, such as draws. None and NaN become NaN.

    Raises:
        DataError: a category that was not there in the first data, or a variable that was not categorical.
    """
    result = dict(data)
    for name, value in data.items():
        if name not in known:
            if _categories(value) is not None:
                raise DataError(f"{what}: {name!r} is categorical, and was not in the first data", variable=name)
            continue
        shape = np.shape(value)
        if len(shape) < 2 or (len(shape) == lead and _are_labels(value, len(known[name]))):
            value = np.array(value, dtype=object) if isinstance(value, list) else value  # or NaN becomes text
            labels = value.to_list() if hasattr(value, "to_list") else np.ravel(value).tolist()
            result[name] = _encoded(name, labels, known[name], what).reshape(*(shape or (1,)), len(known[name]))
        elif name not in soft:
            _require_one_hot(name, value, known[name], what)
    return result


def labels_at(places: Any, categories: Sequence[Any]) -> np.ndarray:
    """The categories at these places `(*,)`: numbers or text as such, anything else as objects."""
    values = np.asarray(categories)
    if values.dtype.kind not in "biuf":
        values = np.empty(len(categories), dtype=object)
        values[:] = categories
    found: np.ndarray = values[np.asarray(places)]
    return found


def _is_frame(data: Any) -> bool:
    return hasattr(data, "columns") and hasattr(data, "dtypes")


def _are_labels(value: Any, categories: int) -> bool:
    array = np.asarray(value)
    return array.dtype.kind not in "biuf" or array.shape[-1] != categories


def _encoded(name: str, labels: Sequence[Any], categories: Sequence[Any], what: str) -> np.ndarray:
    places = {category: place for place, category in enumerate(categories)}
    labels = [None if isinstance(label, float) and label != label else label for label in labels]
    unseen = [label for label in dict.fromkeys(labels) if label not in places and label is not None]
    if unseen:
        texts = {str(category): category for category in categories}
        near = close_match(unseen[0], texts)
        hint = "" if near is None else f"; did you mean {texts[near]!r}?"
        raise DataError(
            f"{what}: {name!r} has the unseen category {unseen[0]!r}{hint}\nKnown: {listing(map(repr, categories))}",
            variable=name,
        )
    vectors = np.vstack([np.eye(len(categories), dtype=np.float32), np.full(len(categories), np.nan, np.float32)])
    return vectors[[places.get(label, -1) for label in labels]]


def _require_one_hot(name: str, value: Any, categories: Sequence[Any], what: str) -> None:
    array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    if array.dtype.kind not in "biuf" or array.shape[-1] != len(categories):
        return
    rows = array.reshape(-1, len(categories))
    bad = ~np.isnan(rows).any(1) & ~(((rows == 0) | (rows == 1)).all(1) & (rows.sum(1) == 1))
    if bad.any():
        raise DataError(
            f"{what}: {name!r} is no one-hot vector in {bad.sum()} of {len(rows)} rows, first in number "
            f"{np.flatnonzero(bad)[0]}\nGive categories, or vectors with a single 1: {listing(map(repr, categories))}",
            variable=name,
        )


def _dims(data: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """The names of the axes of each variable that has them."""
    found = {str(name): getattr(value, "dims", None) for name, value in data.items()}
    return {name: dims for name, dims in found.items() if isinstance(dims, tuple)}


def _column(name: str, column: Any) -> Any:
    if getattr(column, "ndim", 1) != 1:
        raise DataError(f"Several columns are called {name!r}\nGive each a name of its own.", variable=name)
    if _categories(column) is not None:
        return column
    array = column.to_numpy()
    if array.dtype == object and getattr(column.dtype, "kind", "O") in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)  # of pandas, whose integers may be missing
    if array.dtype == object and len(array) and all(isinstance(cell, (list, np.ndarray)) for cell in array):
        return list(array)
    if array.dtype.kind not in "biuf":
        raise DataError(
            f"Column {name!r} is not numeric: {column.dtype}\n"
            "Make it numbers or categories: astype('category') in pandas, cast(pl.Enum([...])) in polars.",
            variable=name,
        )
    return array


def _categories(column: Any) -> list[Any] | None:
    """The categories of a categorical column; None for any other."""
    dtype = getattr(column, "dtype", None)
    if type(column).__module__.startswith("polars"):
        if str(dtype).startswith("Enum"):
            return list(dtype.categories)  # type: ignore[union-attr]
        if str(dtype).startswith("Categorical"):
            return sorted(label for label in set(column.to_list()) if label is not None)
        return None
    categories = getattr(dtype, "categories", None)
    return None if categories is None else list(categories.tolist())
