"""Checks of numbers given as nested tuples: torch-free."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError

__all__ = ["check_positive", "shape_of"]


def shape_of(value: Any, name: str) -> tuple[int, ...]:
    """The shape of a number or of nested tuples of numbers.

    Raises:
        ConfigError: the value is ragged or empty.
    """
    if not isinstance(value, tuple):
        return ()
    inner = {shape_of(item, name) for item in value}
    if len(inner) != 1:
        raise ConfigError(f"expected rows of one length, got {value!r}").within(name)
    return (len(value), *inner.pop())


def check_positive(value: Any, name: str) -> None:
    """Every number is above zero.

    Raises:
        ConfigError: one is not, or the value is ragged or empty.
    """
    shape_of(value, name)
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, tuple):
            check_positive(item, name)
        elif not item > 0:
            raise ConfigError(f"must be > 0, got {item}").within(name)
