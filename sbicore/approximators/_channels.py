"""Images whose channels are not where they are looked for."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import DataWarning
from ._pipeline import Pipeline

__all__ = ["warn_of_channels"]

_MANY = 8


def warn_of_channels(config: Any, summary_config: Any, pipeline: Pipeline, *, depth: int) -> None:
    """Warn of images that have about as many channels as pixels along an axis, `depth` calls below the user's.

    Args:
        config: of the inference network, whose subnet may be one of images.
        summary_config: of the summary network, which may be one of images; or None.
        pipeline: a bound one.
    """
    subnet = getattr(config, "subnet", None)
    for what, role, network in (
        ("targets", "inference_variables", subnet),
        ("summary variables", "summary_variables", summary_config),
    ):
        if getattr(network, "layout", None) == "image":
            _look_at(what, pipeline.event(role) or (1,), pipeline.roles.of(role), depth + 1)


def _look_at(what: str, event: tuple[int, ...], names: tuple[str, ...], depth: int) -> None:
    *space, channels = event
    if channels < _MANY or 2 * channels < max(space):
        return
    name = names[0] if len(names) == 1 else "x"
    warnings.warn(
        f"{what} of shape {tuple(event)} are read as {' x '.join(map(str, space))} pixels with {channels} channels "
        f"each, which come last\nIf they come first, give np.moveaxis({name}, 1, -1); where there are none, "
        f"{name}[..., None].",
        DataWarning,
        stacklevel=depth + 1,
    )
