"""Root mean square error of draws, in units of a guess from the prior."""

from __future__ import annotations

import numpy as np

from sbicore.errors import ConfigError

from .._calibration import calibration, require_varied
from .._data import Arrays

__all__ = ["nrmse"]


def nrmse(
    samples: Arrays,
    targets: Arrays,
    *,
    normalize: str | None = "prior",
) -> np.ndarray:
    """Root mean square difference of draws and true values, over draws and data sets: `(D,)`.

    1 for draws from the prior; for the exact posterior its standard deviation in units of the prior's, because
    draw and truth then both scatter with it.

    Args:
        samples: draws `(N, S, D)`, or by name `(N, S, *event)` as `sample` returns them.
        targets: true values `(N, D)`, or by name `(N, *event)`; names that samples do not have are left out.
        normalize: divide by the error of a guess from the prior (`"prior"`: root mean square difference of the
            true values of two data sets, √2 times their standard deviation), by their standard deviation
            (`"sd"`), by their range (`"range"`), or not at all (None).

    Raises:
        DataError: not finite, or true values that are all equal, or of fewer than 2 data sets, where they give
            the scale.
        ShapeError: axes that do not fit.
        ConfigError: another way to normalise.
    """
    if normalize not in (None, "prior", "sd", "range"):
        raise ConfigError(f"normalize must be 'prior', 'sd', 'range' or None, got {normalize!r}")
    names, drawn, true = calibration(samples, targets, datasets=2 if normalize else 1)
    error = np.sqrt(((drawn - true[:, None]) ** 2).mean(axis=(0, 1)))
    if normalize is None:
        return error
    require_varied(names, true)
    if normalize == "range":
        return error / np.ptp(true, axis=0)
    return error / true.std(axis=0, ddof=1) / (np.sqrt(2) if normalize == "prior" else 1.0)
