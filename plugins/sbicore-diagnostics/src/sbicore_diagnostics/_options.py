"""Checked options that several metrics share."""

from __future__ import annotations

from sbicore.errors import ConfigError

__all__ = ["require_probability"]


def require_probability(name: str, value: float) -> None:
    """Raise ConfigError unless the value lies between 0 and 1."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, got {value!r}")
