"""Bounds of variables as those of their scalars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sbicore.errors import ConfigError, DataError

__all__ = ["scalar_bounds"]

OPEN = (-np.inf, np.inf)


def scalar_bounds(bounds: Any, draws: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """`(low, high)` of each scalar, infinite where open, from `{name: (low, high)}` as `sbicore.build` takes them.

    Raises:
        ConfigError: bounds of another form, or in another order.
        DataError: draws outside them.
    """
    if bounds is None:
        bounds = {}
    if not isinstance(bounds, Mapping):
        raise ConfigError(f"bounds must be a dict {{name: (low, high)}}, got {bounds!r}")
    result = dict.fromkeys(draws, OPEN)
    for name, pair in bounds.items():
        parts = [name] if name in draws else [part for part in draws if part.startswith(f"{name}[")]
        result |= zip(parts, _pairs(name, pair, len(parts)), strict=True)
    for part, (low, high) in result.items():
        if outside := int(((draws[part] < low) | (draws[part] > high)).sum()):
            raise DataError(
                f"{part} has {outside} draws of {len(draws[part])} outside its bounds ({low:g}, {high:g})\n"
                "Leave its bounds out, or give those that it has.",
                variable=part,
            )
    return result


def _pairs(name: str, pair: Any, size: int) -> list[tuple[float, float]]:
    """Of each scalar of one variable."""
    wrong = ConfigError(f"bounds of {name!r} must be (low, high), numbers, one for each scalar, or None; got {pair!r}")
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise wrong
    try:
        low, high = (
            np.broadcast_to(open_end if end is None else np.asarray(end, dtype=float), (size,))
            for end, open_end in zip(pair, OPEN, strict=True)
        )
    except (TypeError, ValueError):
        raise wrong from None
    if not bool((low < high).all()):
        raise ConfigError(f"bounds of {name!r}: low must be below high; got {pair!r}")
    return list(zip(low.tolist(), high.tolist(), strict=True))
