"""Checked images: draws and truths of one channel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import DataError

from .._data import Arrays, finite, require_shape

__all__ = ["drawn_and_true", "one_channel", "seen"]


def drawn_and_true(samples: Arrays, targets: Arrays, channel: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws `(N, S, H, W)` and truths `(N, H, W)`.

    Raises:
        DataError: empty, not finite, several variables, or no such channel.
        ShapeError: not `(N, S, H, W, C)` and `(N, H, W, C)`.
    """
    draws, truths = finite("samples", _single("samples", samples)), finite("targets", _single("targets", targets))
    require_shape("samples", draws, ("N", "S", "H", "W", "C"), draws.ndim == 5)
    expected = (len(draws), *draws.shape[2:])
    require_shape("targets", truths, expected, truths.shape == expected)
    return one_channel("samples", draws, channel), one_channel("targets", truths, channel)


def one_channel(name: str, images: np.ndarray, channel: int) -> np.ndarray:
    """`(*, C) -> (*)`."""
    if not 0 <= channel < images.shape[-1]:
        raise DataError(f"{name} has {images.shape[-1]} channels, and none is {channel=}", variable=name)
    return images[..., channel]


def seen(name: str, images: ArrayLike) -> np.ndarray:
    """Images, NaN where pixels were not seen.

    Raises:
        DataError: no numbers, none at all, or infinite ones.
    """
    values = np.asarray(images)
    gone = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    return np.where(gone, np.nan, finite(name, np.where(gone, 0, values)))


def _single(name: str, values: Arrays) -> ArrayLike:
    if not isinstance(values, Mapping):
        return values
    if len(values) != 1:
        raise DataError(f"{name} holds {len(values)} variables: {', '.join(values)}\nGive the array of one.")
    return next(iter(values.values()))
