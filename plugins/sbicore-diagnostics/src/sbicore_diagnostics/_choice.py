"""Which variables, and what they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sbicore.errors import DataError

__all__ = ["chosen", "labels"]


def chosen(values: Any, keys: str | Sequence[str] | None) -> Any:
    """The entries of a mapping with these keys, in their order; everything without keys.

    Raises:
        DataError: no such entry, or no mapping to choose from.
    """
    if keys is None:
        return values
    if not isinstance(values, Mapping):
        raise DataError("variable_keys choose among names, but samples is an array\nGive a mapping, or no keys.")
    names = [keys] if isinstance(keys, str) else list(keys)
    if missing := [name for name in names if name not in values]:
        raise DataError(f"There is no variable {missing[0]!r}\nThere are: {', '.join(map(repr, values))}")
    return {name: values[name] for name in names}


def labels(names: Sequence[str], given: Sequence[str] | None) -> list[str]:
    """The labels given for the scalars of these names, or the names.

    Raises:
        DataError: another number of labels.
    """
    if given is None:
        return list(names)
    if isinstance(given, str) or len(given) != len(names):
        found = 1 if isinstance(given, str) else len(given)
        raise DataError(f"variable_names has {found} labels for {len(names)} scalars\nLabel: {', '.join(names)}")
    return list(given)
