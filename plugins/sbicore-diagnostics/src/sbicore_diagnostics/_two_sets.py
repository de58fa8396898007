"""Two sets of draws to compare, checked and scaled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sbicore.errors import DataError

from ._data import Arrays, columns, finite, require_least, require_shape

__all__ = ["two_sets"]


def two_sets(
    samples: Arrays,
    reference: Arrays,
    *,
    z_score: bool,
    least: int = 1,
    equal: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Both as `(S, d)`, if asked for scaled by mean and standard deviation of the reference.

    Given are arrays `(S, d)` or `(S,)`, or mappings as `sample` returns them for one observation. A column that
    is constant in the reference is only centred.

    Raises:
        DataError: not finite, a name without reference, or fewer draws than `least`.
        ShapeError: another number of columns, or of draws where equal numbers are asked for.
    """
    if isinstance(samples, Mapping) and isinstance(reference, Mapping):
        if missing := [name for name in samples if name not in reference]:
            raise DataError(f"reference has no {missing[0]!r}\nThere are: {', '.join(map(repr, reference))}")
        reference = {name: reference[name] for name in samples}
    known, judged = _matrix("reference", reference), _matrix("samples", samples)
    expected = known.shape if equal else ("S", *known.shape[1:])
    fits = judged.shape == known.shape if equal else judged.shape[1:] == known.shape[1:]
    require_shape("samples", judged, expected, fits)
    known, judged = known.reshape(len(known), -1), judged.reshape(len(judged), -1)
    require_least(min(len(judged), len(known)), least, "draws in a set")
    if z_score and len(known) > 1:
        centre, scale = known.mean(axis=0), known.std(axis=0, ddof=1)
        scale = np.where(np.ptp(known, axis=0) > 0, scale, 1.0)
        known, judged = (known - centre) / scale, (judged - centre) / scale
    return judged, known


def _matrix(name: str, values: Arrays) -> np.ndarray:
    if isinstance(values, Mapping):
        return np.stack(list(columns(values, None).values()), axis=1)
    array = finite(name, values)
    require_shape(name, array, ("S", "d"), array.ndim in (1, 2))
    return array
