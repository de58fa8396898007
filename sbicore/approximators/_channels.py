"""Images whose channels are not where they are looked for."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import DataWarning
from ._pipeline import Pipeline

__all__ = ["warn_of_channels"]

_MANY = 8


def warn_of_channels(config: Any, pipeline: Pipeline, *, depth: int) -> None:
    """Warn of targets that have about as many channels as pixels along an axis, `depth` calls below the user's.

    Args:
        config: of the inference network; only those with a subnet of images are looked at.
        pipeline: a bound one.
    """
    if getattr(getattr(config, "subnet", None), "layout", None) != "image":
        return
    event, names = pipeline.event("inference_variables") or (1,), pipeline.roles.targets
    *space, channels = event
    if channels < _MANY or 2 * channels < max(space):
        return
    name = names[0] if len(names) == 1 else "x"
    warnings.warn(
        f"targets of shape {tuple(event)} are read as {' x '.join(map(str, space))} pixels with {channels} channels "
        f"each, which come last\nIf they come first, give np.moveaxis({name}, 1, -1); where there are none, "
        f"{name}[..., None].",
        DataWarning,
        stacklevel=depth + 1,
    )
