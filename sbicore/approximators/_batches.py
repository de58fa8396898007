"""Data that arrive as an iterable of dicts, each a batch of rows."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import DataError, DataWarning, ShapeError
from ..training.padding import padded
from ..training.sources import require_same_names
from ._pipeline import tensors_of
from ._ragged import MASK, is_mask, mask_name
from ._rows import row_events

__all__ = ["RowWatch", "gathered"]

_FEW = 32
_SHORT = 8


class RowWatch:
    """Looks at passing batches for dicts of single rows, whose vectors would be read as many rows of scalars.

    Batches of scalars look alike where they are as short as an event; so the watch speaks only of dicts that have
    nothing but vectors of one length from 2 to 31, where there are more than 32 of them; or, of a length below 8,
    which hardly a batch has, where there are more of them than entries in each.
    """

    def __init__(self) -> None:
        self.count = 0
        self.length: int | None = None

    def over(self, batches: Iterable[Any]) -> Iterator[Any]:
        """The batches, looked at."""
        for batch in batches:
            length = _vectors_of(batch)
            self.length = length if self.count == 0 or length == self.length else None
            self.count += 1
            yield batch

    def warn(self, *, depth: int) -> None:
        """Warn where all of it looked like single rows, `depth` calls below the user's."""
        if self.length is not None and self.count > (self.length if self.length < _SHORT else _FEW):
            warnings.warn(
                f"Each of {self.count} dicts has vectors of length {self.length}: {self.length} rows of scalars each.\n"
                "If each dict is a single row, stack them: "
                "{name: np.stack([row[name] for row in rows]) for name in rows[0]}",
                DataWarning,
                stacklevel=depth + 1,
            )


def gathered(batches: Iterable[Any], *, varying: bool) -> dict[str, Tensor]:
    """All batches as one data set; where sets may have any length (`varying`), padded and masked.

    Raises:
        DataError: none at all, or batches that have different variables or shapes.
    """
    parts = [tensors_of(batch, "a batch") for batch in batches]
    if not parts:
        raise DataError("data have no batches")
    events = row_events(parts[0])
    for part in parts:
        require_same_names(_variables(parts[0]), _variables(part))
        for name, event in row_events(part).items():
            expected = events.get(name, event)
            if event[1:] != expected[1:] or len(event) != len(expected) or not (varying or event == expected):
                raise ShapeError(
                    f"batches have rows of different shapes: {name!r} {expected} and {event}",
                    variable=name,
                    expected=expected,
                    got=event,
                )
    return _as_one(parts)


def _as_one(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The rows of all batches, with masks where their lengths differ or one of them has a mask."""
    lengths = {
        name: {part[name].shape[1] for part in parts} for name in _variables(parts[0]) if parts[0][name].ndim > 1
    }
    varied = [name for name, found in lengths.items() if len(found) > 1]
    masks = {key for part in parts for key in part if is_mask(key)}
    masks |= set() if MASK in masks else {mask_name(name) for name in varied}
    for key in masks:
        masked = key.partition(":")[2] or next(iter(varied), key)
        masked = masked if masked in parts[0] else key
        length = max(part[masked].shape[1] for part in parts if masked in part)
        for part in parts:
            here = part[masked].shape[1] if masked in part else length
            part.setdefault(key, torch.ones(len(next(iter(part.values()))), here, dtype=torch.bool))
    return {name: padded([part[name] for part in parts]) for name in parts[0]}


def _variables(part: Mapping[str, Any]) -> set[str]:
    """Those that are no masks."""
    return {name for name in part if not is_mask(name)}


def _vectors_of(batch: Any) -> int | None:
    """The length of all variables, if they are short vectors of one length."""
    if not isinstance(batch, Mapping):
        return None
    try:
        shapes = {np.shape(value) for value in batch.values()}
    except ValueError:
        return None
    shape = shapes.pop() if len(shapes) == 1 else ()
    return shape[0] if len(shape) == 1 and 1 < shape[0] < _FEW else None
