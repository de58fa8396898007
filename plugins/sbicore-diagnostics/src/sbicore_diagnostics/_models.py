"""Probabilities of models beside the true ones, checked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sbicore.errors import DataError

from ._data import finite, require_shape

__all__ = ["model_labels", "models"]

TOLERANCE = 1e-3


def models(estimates: ArrayLike, targets: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities `(N, M)` and numbers of the true models `(N,)`.

    Args:
        estimates: probabilities `(N, M)`, as `estimate(...)["model_probs"]`.
        targets: a one for the true model `(N, M)`, as simulations have it, or its number `(N,)`.

    Raises:
        DataError: not finite, no probabilities, or no models.
        ShapeError: axes that do not fit.
    """
    found = finite("estimates", estimates)
    require_shape("estimates", found, ("N", "M >= 2"), found.ndim == 2 and found.shape[1] > 1)
    if found.min() < -TOLERANCE or np.abs(found.sum(axis=1) - 1).max() > TOLERANCE:
        raise DataError(
            "estimates must be probabilities that sum to 1 in each row\nGive: workflow.estimate(...)['model_probs']"
        )
    true = finite("targets", targets)
    size, count = found.shape
    if true.ndim == 2:
        require_shape("targets", true, found.shape, true.shape == found.shape)
        if not (((true == 0) | (true == 1)).all() and (true.sum(axis=1) == 1).all()):
            raise DataError("targets must have a single 1 in each row, and 0 elsewhere")
        return found, true.argmax(axis=1)
    require_shape("targets", true, (size,), true.shape == (size,))
    if not np.isin(true, np.arange(count)).all():
        raise DataError(f"targets must be numbers of models, 0 to {count - 1}")
    return found, true.astype(int)


def model_labels(count: int, names: Sequence[str] | None) -> list[str]:
    """The names given, or `M1`, `M2`, ...

    Raises:
        DataError: another number of names.
    """
    if names is None:
        return [f"M{i + 1}" for i in range(count)]
    if isinstance(names, str) or len(names) != count:
        raise DataError(f"model_names must be {count} names, got {names!r}")
    return list(names)
