"""Checked arrays: what every metric and plot is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import DataError, ShapeError

__all__ = ["Arrays", "columns", "finite", "require_least", "require_shape"]

Arrays = ArrayLike | Mapping[str, ArrayLike]


def finite(name: str, values: ArrayLike) -> np.ndarray:
    """The values as float64.

    Raises:
        DataError: no numbers, none at all, or some that are not finite.
    """
    try:
        array = np.asarray(values)
        if np.iscomplexobj(array):
            raise TypeError("they are complex")
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} must be an array of numbers: {error}", variable=name) from error
    if array.size == 0:
        raise DataError(f"{name} is empty, with shape {array.shape}", variable=name)
    if bad := int((~np.isfinite(array)).sum()):
        raise DataError(
            f"{name} has {bad} values of {array.size} that are NaN or infinite\nLeave them out first.",
            variable=name,
        )
    return array


def require_shape(name: str, array: np.ndarray, expected: tuple[Any, ...], fits: bool) -> None:
    """Raise ShapeError unless the array fits."""
    if not fits:
        wanted = f"({', '.join(map(str, expected))}{',' if len(expected) == 1 else ''})"
        message = f"{name} has shape {array.shape}, expected {wanted}"
        raise ShapeError(message, variable=name, expected=expected, got=array.shape)


def require_least(found: int, least: int, what: str) -> None:
    """Raise DataError if there are too few."""
    if found < least:
        raise DataError(f"There are {found} {what}\nAt least {least} are needed.")


def columns(samples: Mapping[str, ArrayLike], dataset_id: int | None) -> dict[str, np.ndarray]:
    """One entry `(S,)` for each scalar: `(S,)` keeps its name, `(S, d)` gives `name[0]`, `name[1]`, ...

    With `dataset_id` one data set is taken from a leading axis; without it such an axis may have size 1.

    Raises:
        DataError: nothing there, or not finite.
        ShapeError: other shapes, or unequal numbers of draws.
    """
    if not isinstance(samples, Mapping) or not samples:
        raise DataError("samples must be a mapping of names to arrays\nGive for instance: {'theta': draws}")
    arrays = {name: finite(name, values) for name, values in samples.items()}
    if dataset_id is None and all(array.ndim > 1 and array.shape[0] == 1 for array in arrays.values()):
        dataset_id = 0
    if dataset_id is not None:
        arrays = {name: _one(name, array, dataset_id) for name, array in arrays.items()}
    draws = len(next(iter(arrays.values()))) if all(array.ndim for array in arrays.values()) else 0
    result = {}
    for name, array in arrays.items():
        require_shape(name, array, (draws or "S",), array.ndim in (1, 2) and len(array) == draws)
        if array.ndim == 1:
            result[name] = array
        else:
            result |= {f"{name}[{i}]": column for i, column in enumerate(array.T)}
    return result


def _one(name: str, array: np.ndarray, dataset_id: int) -> np.ndarray:
    require_shape(name, array, ("O", "S", "..."), array.ndim > 1)
    if not -len(array) <= dataset_id < len(array):
        raise DataError(f"{name} has {len(array)} data sets, and none is {dataset_id=}", variable=name)
    return array[dataset_id]
