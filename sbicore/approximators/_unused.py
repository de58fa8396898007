"""Options of `fit` that would be ignored beside the data it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import ConfigError

__all__ = ["refuse_unused"]


def refuse_unused(given: Mapping[str, Any], *, simulated: bool, validated: bool) -> None:
    """Raise ConfigError for an option that means nothing.

    Args:
        given: options of this call; defaults are for any data.
        simulated: whether rows are made for each step.
        validated: whether there are `validation_data`.
    """
    if simulated and "validation_fraction" in given:
        raise ConfigError("validation_fraction has no meaning for simulated batches: the pilot validates")
    if validated and given.get("validation_fraction"):
        raise ConfigError(
            "validation_fraction has no meaning beside validation_data: no rows are held out\nGive one of them."
        )
    if not simulated and "num_batches_per_epoch" in given:
        raise ConfigError(
            "num_batches_per_epoch is for simulators; an epoch of given rows is one pass over them\n"
            "Give steps=... or epochs=... for a shorter or longer training."
        )
