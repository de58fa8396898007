"""Rows of different lengths as one padded tensor and a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, ShapeError

__all__ = [
    "MASK",
    "is_listed",
    "is_mask",
    "is_ragged",
    "mask_name",
    "merge_masks",
    "not_numeric",
    "packed",
    "shape_of",
    "spread",
]

MASK = "summary_mask"
"""The variable that tells which entries of sets and series are there: `(N, L)`, 1 or True where they are.

Of one variable among several it is `summary_mask:name`; `{"summary_mask": {name: mask}}` says the same.
"""


def mask_name(name: str) -> str:
    """What the mask of one variable is called."""
    return f"{MASK}:{name}"


def is_mask(name: str) -> bool:
    """Whether a variable of this name is a mask."""
    return name == MASK or name.startswith(f"{MASK}:")


def spread(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data in which the masks of several variables, if given as one mapping, are variables of their own."""
    given = data.get(MASK)
    if not isinstance(given, Mapping):
        return {str(name): value for name, value in data.items()}
    rest = {str(name): value for name, value in data.items() if name != MASK}
    return rest | {mask_name(str(name)): mask for name, mask in given.items()}


def is_listed(value: Any) -> bool:
    """Whether rows are arrays of their own, which may differ in length."""
    if isinstance(value, np.ndarray):
        return value.dtype == object and value.ndim == 1 and any(np.ndim(row) > 0 for row in value)
    return isinstance(value, (list, tuple)) and len(value) > 0 and np.ndim(value[0]) > 0


def is_ragged(value: Any) -> bool:
    """Whether rows are arrays of their own, and differ in length."""
    return is_listed(value) and len({np.shape(row)[:1] for row in value}) > 1


def shape_of(name: str, value: Any) -> tuple[int, ...]:
    """The shape of all rows together, the longest one's where they differ.

    Raises:
        DataError, ShapeError: rows that differ in more than their length.
    """
    try:
        shape = np.shape(value)
    except ValueError as error:
        if not is_listed(value):
            raise DataError(f"{name!r} has rows of different shapes: {error}", variable=name) from None
        shape = ()
    if shape and not (isinstance(value, np.ndarray) and is_listed(value)):
        return shape
    return packed(name, value)[0].shape if is_listed(value) else shape


def packed(name: str, rows: Sequence[Any]) -> tuple[np.ndarray, Tensor]:
    """Rows `(n_i, *rest)` as one array `(N, L, *rest)`, NaN where a row has ended, and what is there `(N, L)`.

    Raises:
        DataError: not numbers.
        ShapeError: rows that differ in more than their length.
    """
    arrays = [_row(name, row) for row in rows]
    shapes = [array.shape for array in arrays if array.shape != (0,)] or [(0,)]
    one, other = shapes[0], next((shape for shape in shapes if shape[1:] != shapes[0][1:]), None)
    if other is not None:
        raise ShapeError(
            f"{name!r} has rows of different shapes, {one} and {other}\n"
            "Rows may differ in their first axis only, the entries of a set or series.",
            variable=name,
            expected=one,
            got=other,
        )
    lengths = [len(array) for array in arrays]
    wide = any(array.dtype != np.float32 for array in arrays)
    padded = np.full((len(arrays), max(lengths), *one[1:]), np.nan, np.float64 if wide else np.float32)
    for target, array in zip(padded, arrays, strict=True):
        target[: len(array)] = array.reshape(len(array), *one[1:])
    return padded, torch.arange(max(lengths)) < torch.tensor(lengths).unsqueeze(1)


def merge_masks(masks: Mapping[str, Tensor]) -> Tensor:
    """The one mask that all of these are, `{summary_mask:name: mask}`.

    Raises:
        ShapeError: the lengths of two variables differ.
    """
    (name, mask), *others = masks.items()
    for other, found in others:
        if not torch.equal(mask, found):
            one, two = (key.partition(":")[2] for key in (name, other))
            raise ShapeError(
                f"{one!r} and {two!r} have rows of different lengths, which do not agree\n"
                "Each row has as many entries of the one as of the other; 'fusion_network' reads them apart.",
                variable=two,
            )
    return mask


def _row(name: str, row: Any) -> np.ndarray:
    try:
        array = np.asarray(row.detach().cpu() if isinstance(row, Tensor) else row)
    except ValueError as error:
        raise DataError(f"{name!r} has rows of different shapes: {error}", variable=name) from None
    if array.dtype.kind not in "biuf":
        raise not_numeric(name, array.dtype)
    if array.ndim == 0:
        raise ShapeError(f"{name!r} has single numbers among its rows, and others that are arrays", variable=name)
    return array


def not_numeric(name: str, dtype: np.dtype[Any]) -> DataError:
    """What is to be raised for values of this dtype."""
    remedy = f"\nNumbers in an array of objects: {name}.astype(float)." if dtype.hasobject else ""
    return DataError(f"{name!r} is not numeric: dtype {dtype}{remedy}", variable=name)
