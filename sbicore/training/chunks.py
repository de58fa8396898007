"""How much goes through a network at a time where no step is taken."""

from __future__ import annotations

import math

import torch

from .sources import Batch

__all__ = ["pixels_at_once", "validation_rows"]

_ROWS = 4_096
_PIXELS, _ACCELERATOR_PIXELS = 32_768, 4_194_304


def pixels_at_once(device: torch.device) -> int:
    """Pixels of all images of one call: few enough for the cache, or plenty on an accelerator."""
    return _PIXELS if device.type == "cpu" else _ACCELERATOR_PIXELS


def validation_rows(rows: Batch, batch_size: int, device: torch.device) -> int:
    """At most 4,096 rows, of fields and images as many as `pixels_at_once` allows, yet no fewer than a batch.

    Series that are not inferred count as one pixel: what summarises them goes through them step by step.
    """
    fields = (t.shape[1:-1] for role, t in rows.items() if t.ndim > 3 or role == "inference_variables")
    pixels = max(map(math.prod, fields), default=1)
    return min(_ROWS, max(batch_size, pixels_at_once(device) // pixels))
