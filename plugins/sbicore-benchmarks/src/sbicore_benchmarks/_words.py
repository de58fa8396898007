"""What users type on the command line: tasks, budgets, mappings."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from sbicore.errors import ConfigError

__all__ = ["ONLINE", "as_budget", "as_mapping", "unknown"]

ONLINE = "online"
SMALLEST = 100
"""The fewest simulations that a benchmark trains on."""


def unknown(what: str, name: object, known: Iterable[str]) -> ConfigError:
    """The error about a name that is not among the known ones."""
    known = list(known)
    near = difflib.get_close_matches(str(name).lower(), known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return ConfigError(f"There is no {what} {name!r}{hint}\nChoose from: {', '.join(known)}")


def as_budget(text: str | int) -> int | str:
    """A number of simulations, such as `1e4`, or `online`.

    Raises:
        ConfigError: neither, or too few.
    """
    if text == ONLINE:
        return ONLINE
    try:
        number = float(text)
    except ValueError:
        near = difflib.get_close_matches(str(text).lower(), [ONLINE], n=1)
        hint = f"; did you mean {ONLINE!r}?" if near else ""
        raise ConfigError(
            f"{text!r} is no budget{hint}\nGive a number of simulations, such as 1e4, or {ONLINE!r}."
        ) from None
    if not (number.is_integer() and number >= SMALLEST):
        raise ConfigError(f"a budget is a whole number of at least {SMALLEST} simulations, got {text}")
    return int(number)


def as_mapping(text: str | None, option: str) -> dict[str, Any]:
    """A JSON object from the command line; empty without one.

    Raises:
        ConfigError: no JSON object.
    """
    if text is None:
        return {}
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{option} is no JSON: {error}\nGive for instance: {option} '{{\"steps\": 1000}}'") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{option} takes a JSON object, got {text}")
    return value
