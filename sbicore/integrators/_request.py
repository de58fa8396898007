"""Checks of what a caller of `integrate` asks for."""

from __future__ import annotations

import math
from typing import Any

from .._messages import did_you_mean
from ..errors import ConfigError, SbicoreError

__all__ = ["check_steps", "check_time", "check_tolerance", "steps_without_control"]

ADAPTIVE_METHODS = "bosh3, dopri5, dopri8, tsit5"


def check_time(value: Any, name: str) -> float:
    """A finite time as a float."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise ConfigError(f"expected a number, got {value!r}").within(name)
    time = float(value)
    if not math.isfinite(time):
        raise ConfigError(f"must be finite, got {time}").within(name)
    return time


def check_steps(value: Any) -> int | None:
    """A positive number of steps; None stands for `None` and `"adaptive"`."""
    if value is None or (isinstance(value, str) and value == "adaptive"):
        return None
    if isinstance(value, str):
        raise ConfigError(
            f"unknown choice {value!r}{did_you_mean(value, ['adaptive'])}\n"
            "Give a positive whole number, 'adaptive' or None."
        ).within("steps")
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ConfigError(f"expected a whole number, 'adaptive' or None, got {value!r}").within("steps")
    steps = int(value.__index__())
    if steps < 1:
        raise ConfigError(f"must be >= 1, got {steps}").within("steps")
    return steps


def check_tolerance(value: Any, name: str, *, zero: bool) -> float:
    """A finite tolerance: positive, or zero where that is allowed."""
    if isinstance(value, (bool, str)) or not hasattr(value, "__float__"):
        raise ConfigError(f"expected a number, got {value!r}").within(name)
    tolerance = float(value)
    if not math.isfinite(tolerance) or tolerance < 0 or (tolerance == 0 and not zero):
        raise ConfigError(f"must be finite and {'>=' if zero else '>'} 0, got {tolerance}").within(name)
    return tolerance


def steps_without_control(method: str, default: int, steps: Any, rtol: Any, atol: Any) -> int:
    """The number of steps of a method that cannot control its error."""
    count = check_steps(steps)
    for name, value in (("steps", steps if count is None else None), ("rtol", rtol), ("atol", atol)):
        if value is not None:
            raise _no_control(method, name, value)
    return count or default


def _no_control(method: str, name: str, value: Any) -> SbicoreError:
    """The error for asking a fixed-step method to control its error."""
    return ConfigError(
        f"{method!r} takes equal steps and cannot control its error, got {name}={value!r}\n"
        f"Methods that adapt: {ADAPTIVE_METHODS}\n"
        "Choose one of these, or give only steps=<whole number>."
    ).within(name)
