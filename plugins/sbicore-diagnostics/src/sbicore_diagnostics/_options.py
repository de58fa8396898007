"""Checked options that several metrics and plots share."""

from __future__ import annotations

from collections.abc import Sequence

from sbicore.errors import ConfigError

__all__ = ["require_choice", "require_probability"]


def require_probability(name: str, value: float) -> None:
    """Raise ConfigError unless the value lies between 0 and 1."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, got {value!r}")


def require_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise ConfigError unless the value is one of the choices."""
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
