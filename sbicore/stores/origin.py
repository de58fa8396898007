"""Whether the rows of a folder are those of the source that is given now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .._messages import listing
from ..errors import ConfigError
from .npz import differing, header
from .store import Columns, require_numbers

__all__ = ["described_rows", "other_data", "require_same_part", "require_same_rows"]

_KEPT = 256
"""Values of a variable that are kept, at most."""
_RELATIVE = 1e-4
"""By which two machines may differ in a value."""
_REMEDY = "Delete the folder to write anew, or give another path."

Described = Mapping[str, Mapping[str, Any]]


def described_rows(folder: Path, rows: Mapping[str, np.ndarray]) -> Described:
    """Event shape, dtype and some values of each variable, for a JSON file.

    Raises:
        DataError, ShapeError: rows that no store can have.
    """
    dtypes = {name: value.dtype for name, value in rows.items()}
    require_numbers(folder, {name: value.shape for name, value in rows.items()}, dtypes)
    return {
        name: {"event": list(value.shape[1:]), "dtype": str(value.dtype), "values": _some(value).tolist()}
        for name, value in rows.items()
    }


def require_same_rows(folder: Path, before: Described, now: Described, again: Callable[[], Described]) -> None:
    """Raise ConfigError where a simulator is not the one that wrote the folder.

    Args:
        folder: of the store.
        before: what the one that wrote it made of a seed.
        now: what this one makes of it.
        again: makes that once more; a variable that differs from call to call tells nothing.
    """
    _require_same_schema(folder, before, now)
    differs = [name for name in now if not _alike(before[name], now[name])]
    if differs:
        made = again()
        differs = [name for name in differs if _alike(now[name], made[name])]
    if differs:
        raise ConfigError(
            f"{folder} was written with another simulator: of this seed it made other values of {listing(differs)}\n"
            f"{_REMEDY}"
        )


def require_same_part(folder: Path, file: Path, part: Mapping[str, np.ndarray]) -> None:
    """Raise ConfigError where a file that is there has other rows than these."""
    columns, count = header(file)
    _require_same_schema(folder, _schema(columns), described_rows(folder, part))
    found = len(next(iter(part.values())))
    if found != count:
        raise other_data(folder, f"{file.name} has {count} rows, now they are {found}")
    if differs := differing(file, part):
        raise other_data(folder, f"{file.name} has other values of {listing(differs)}")


def other_data(folder: Path, told: str) -> ConfigError:
    """What is to be raised where a folder has other data."""
    return ConfigError(f"{folder} was written with other data: {told}\n{_REMEDY}")


def _require_same_schema(folder: Path, before: Described, now: Described) -> None:
    if before.keys() != now.keys():
        raise other_data(folder, f"its variables are {listing(sorted(before))}, now {listing(sorted(now))}")
    for name, found in now.items():
        if any(before[name][key] != found[key] for key in ("event", "dtype")):
            there, here = (f"{tuple(one['event'])} of {one['dtype']}" for one in (before[name], found))
            raise other_data(folder, f"its rows of {name!r} are {there}, now {here}")


def _schema(columns: Columns) -> Described:
    return {name: {"event": list(event), "dtype": str(columns.dtypes[name])} for name, event in columns.events.items()}


def _some(value: np.ndarray) -> np.ndarray:
    """Values from all over an array."""
    flat = value.reshape(-1)
    places = np.linspace(0, flat.size - 1, min(flat.size, _KEPT)).astype(int)
    return np.asarray(flat[places])


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    a, b = (np.asarray(found["values"], np.float64) for found in (one, other))
    size = float(np.max(np.abs(a), where=np.isfinite(a), initial=0.0))
    return a.shape == b.shape and np.allclose(a, b, rtol=_RELATIVE, atol=_RELATIVE**2 * size, equal_nan=True)
