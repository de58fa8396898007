"""Draws of many posteriors beside the true values, checked: what every calibration metric is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from sbicore.errors import DataError, ShapeError

from ._data import Arrays, finite, require_least

__all__ = ["Calibration", "calibration", "require_varied"]


class Calibration(NamedTuple):
    """Draws `(N, S, D)` and true values `(N, D)` of D scalars."""

    names: tuple[str, ...]
    samples: np.ndarray
    targets: np.ndarray


def calibration(
    samples: Arrays, targets: Arrays, *, datasets: int = 1, draws: int = 1, suffix: str = ""
) -> Calibration:
    """Samples `(N, S, *event)` and targets `(N, *event)`, arrays or mappings of arrays, as flat columns.

    Messages call them by these names with the suffix.

    Raises:
        DataError: a name without targets, values that are not finite, or fewer data sets or draws than asked for.
        ShapeError: axes that do not fit.
    """
    if isinstance(samples, Mapping) != isinstance(targets, Mapping):
        raise DataError("samples and targets must both be arrays, or both mappings of names to arrays")
    given: dict[str, Any] = dict(samples) if isinstance(samples, Mapping) else {"": samples}
    truths: dict[str, Any] = dict(targets) if isinstance(targets, Mapping) else {"": targets}
    if not given:
        raise DataError("samples is empty\nGive for instance: {'theta': draws}")
    names: list[str] = []
    drawn: list[np.ndarray] = []
    true: list[np.ndarray] = []
    for name, values in given.items():
        if name not in truths:
            raise DataError(f"targets has no {name!r}\nThere are: {', '.join(map(repr, truths))}", variable=name)
        label = f"{suffix}[{name!r}]" if name else suffix
        one, truth = finite(f"samples{label}", values), finite(f"targets{label}", truths[name])
        _require_axes(label, one, truth, drawn[0].shape[:2] if drawn else ("N", "S"))
        names += _names(name, one.shape[2:])
        drawn.append(one.reshape(*one.shape[:2], -1))
        true.append(truth.reshape(len(truth), -1))
    result = Calibration(tuple(names), np.concatenate(drawn, axis=2), np.concatenate(true, axis=1))
    require_least(len(result.targets), datasets, "data sets, the first axis of samples and targets")
    require_least(result.samples.shape[1], draws, "draws for each data set, the second axis of samples")
    return result


def require_varied(names: tuple[str, ...], targets: np.ndarray) -> None:
    """Raise DataError where true values are the same in all data sets."""
    if constant := [name for name, width in zip(names, np.ptp(targets, axis=0), strict=True) if width == 0]:
        raise DataError(
            f"True values of {', '.join(constant)} are the same in all data sets, so they give no scale\n"
            "Leave such parameters out.",
            variable=constant[0],
        )


def _names(name: str, event: tuple[int, ...]) -> list[str]:
    """`name` for a scalar, otherwise `name[0]`, `name[1]`, ... or `name[0,0]`, ..."""
    return [f"{name}[{','.join(map(str, index))}]" if index else name or "[0]" for index in np.ndindex(event)]


def _require_axes(label: str, samples: np.ndarray, targets: np.ndarray, leading: tuple[Any, ...]) -> None:
    """Raise ShapeError unless samples are `(N, S, *event)`, with the leading sizes if they are known."""
    fits = targets.ndim > 0 and samples.shape[:1] + samples.shape[2:] == targets.shape and samples.ndim > 1
    if fits and all(known in ("N", "S", found) for known, found in zip(leading, samples.shape, strict=False)):
        return
    datasets = leading[0] if leading[0] != "N" else len(targets) if targets.ndim else "N"
    wanted = ", ".join(map(str, [f"{datasets} data sets", f"{leading[1]} draws", *targets.shape[1:]]))
    hint = ""
    if not fits and targets.ndim and samples.shape[1:2] + samples.shape[2:] == targets.shape:
        hint = "\nThe first two axes seem to be exchanged: samples.swapaxes(0, 1)"
    raise ShapeError(
        f"samples{label} has shape {samples.shape} beside targets{label} of shape {targets.shape}\n"
        f"Expected is ({wanted}) beside ({', '.join(map(str, [f'{datasets} data sets', *targets.shape[1:]]))}){hint}",
        expected=wanted,
        got=samples.shape,
    )
