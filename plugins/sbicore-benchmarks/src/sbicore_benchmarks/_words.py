"""What users type on the command line: tasks, budgets, mappings."""

from __future__ import annotations

import difflib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sbicore.errors import ConfigError

__all__ = ["ONLINE", "as_budget", "as_count", "as_folder", "as_mapping", "unknown"]

ONLINE = "online"
SMALLEST = 100
LARGEST = 10**8
"""The fewest and the most simulations that a benchmark trains on, in memory."""


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
    if number > LARGEST:
        raise ConfigError(f"a budget of {text} simulations is more than memory holds\nGive at most 1e8, or {ONLINE!r}.")
    return int(number)


def as_count(value: int, name: str) -> int:
    """A number of at least 1, as given for the option of this name."""
    if value < 1:
        raise ConfigError(f"{name} must be at least 1, got {value}")
    return value


def as_folder(path: Path) -> None:
    """Make the folder of results, or say why it cannot be one before any work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise ConfigError(f"--out {path} cannot hold results: {error.strerror}\nGive another folder.") from error


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
