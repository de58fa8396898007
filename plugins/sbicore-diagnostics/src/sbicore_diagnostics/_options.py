"""Checked options that several metrics and plots share."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np

from sbicore.errors import ConfigError

__all__ = ["require_choice", "require_probability", "require_seed", "seeded"]


def require_probability(name: str, value: float) -> None:
    """Raise ConfigError unless the value lies between 0 and 1."""
    if not 0 < value < 1:
        raise ConfigError(f"{name} must lie between 0 and 1, got {value!r}")


def require_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raise ConfigError unless the value is one of the choices."""
    if value not in choices:
        raise ConfigError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")


def require_seed(value: object, below: float = math.inf) -> None:
    """Raise ConfigError unless the value is a whole number of at least 0."""
    try:
        known = not isinstance(value, bool) and 0 <= operator.index(value) < below  # type: ignore[arg-type]
    except TypeError:
        known = False
    if not known:
        more = "" if math.isinf(below) else f" and below {below}"
        raise ConfigError(f"seed must be a whole number >= 0{more}, got {value!r}")


def seeded(seed: int) -> np.random.Generator:
    """The generator of a checked seed."""
    require_seed(seed)
    return np.random.default_rng(seed)
