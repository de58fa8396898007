"""Training rows: checked, adapted, cleaned of non-finite values, standardised."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .._messages import given_instead, listing
from ..errors import DataError, DataWarning, ShapeError
from ._masks import lost_features, not_finite, take_masks, there_alone, unlike, with_masks, without_entries
from ._pipeline import WEIGHT, Pipeline, tensors_of
from ._ragged import shape_of, spread
from ._roles import ROLES

__all__ = ["Cleaner", "by_slices", "row_events"]

_SLICE_BYTES = 4 << 20
_LARGEST = torch.finfo(torch.float32).max


def row_events(data: Any) -> dict[str, tuple[int, ...]]:
    """Event shapes of a data set with one leading axis.

    Raises:
        DataError: not a mapping, empty, ragged, or a variable without rows.
    """
    if not isinstance(data, Mapping):
        raise DataError(f"data must be a dict of arrays by name, got {type(data).__name__}")
    if not data:
        raise DataError("data are empty: the dict has no variables")
    events = {}
    for name, value in spread(data).items():
        shape = shape_of(name, value)
        if not shape:
            raise DataError(f"{name!r} is a single number; training data have a row for each simulation", variable=name)
        events[name] = tuple(shape[1:])
    return events


def by_slices(rows: dict[str, Tensor], make: Callable[[dict[str, Tensor]], dict[str, Tensor]]) -> dict[str, Tensor]:
    """What is made of each row, by slices, so that copies in float64 stay small."""
    count = len(rows["inference_variables"])
    step = max(1, _SLICE_BYTES * count // max(1, sum(value.nbytes for value in rows.values())))
    if step >= count:
        return make(rows)
    parts = [
        make({role: value[start : start + step] for role, value in rows.items()}) for start in range(0, count, step)
    ]
    return {role: torch.cat([part[role] for part in parts]) for role in parts[0]}


class Cleaner:
    """Turns raw data into joined role tensors, dropping and counting non-finite rows.

    Args:
        pipeline: a bound pipeline.
        max_invalid_share: largest share of rows that may be dropped.
        what: how errors name these data.
    """

    def __init__(self, pipeline: Pipeline, max_invalid_share: float, what: str = "data") -> None:
        self.pipeline = pipeline
        self.share = max_invalid_share
        self.what = what
        self.rows = 0
        self.dropped = 0
        self.reasons: dict[str, int] = {}

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Tensor]:
        """Valid rows by role, `sample_weight` among them.

        Raises:
            DataError: missing variables, no rows, more invalid rows than allowed.
            ShapeError: another shape than agreed, or variables with different numbers of rows.
        """
        data = self.pipeline.numeric(data, self.what)
        raw = tensors_of(data, self.what, (*self.pipeline.events, WEIGHT), varying=self.pipeline.summarized)
        weight, masks = raw.pop(WEIGHT, None), take_masks(raw)
        missing = [name for name in self.pipeline.events if name not in raw]
        if missing:
            near = given_instead(missing[0], [name for name in data if name not in self.pipeline.events])
            raise DataError(f"{self.what} lack {listing(missing)}{near}\nFound: {listing(data)}", variable=missing[0])
        raw = self.pipeline.checked(raw, self.what, lead=1)
        self._require_room({name: raw[name] for name in self.pipeline.target_names})
        counts = {name: len(value) for name, value in (raw | unlike(masks, raw)).items()}
        if weight is not None:
            weight = self._one_each(weight)
            counts[WEIGHT] = len(weight)
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise ShapeError(
                f"{self.what}: variables have different numbers of rows: {found}\n"
                "Arrays (N, ...) hold one row for each simulation; np.stack joins rows that were made one by one."
            )
        count = next(iter(counts.values()))
        if count == 0:
            raise DataError(f"{self.what}: no rows")
        joined = with_masks(self.pipeline, raw, self.pipeline.forward(raw, ROLES), masks, self.what)
        if self.pipeline.lost is not None:
            self.pipeline.lost |= lost_features(self.pipeline, joined)
        if weight is not None:
            if not bool(((weight >= 0) & torch.isfinite(weight)).all()):
                raise DataError(f"{self.what}: {WEIGHT} has negative, infinite or NaN entries", variable=WEIGHT)
            joined[WEIGHT] = weight
        return self._valid(raw, joined, count)

    def _require_room(self, targets: Mapping[str, Tensor]) -> None:
        """Raise DataError where inferred values are too large for draws, which are float32."""
        for name, value in targets.items():
            wide = value.dtype == torch.float64 and bool(value.numel())
            large = float(value.abs().nan_to_num(0.0, 0.0).max()) if wide else 0.0
            if large > _LARGEST:
                raise DataError(
                    f"{self.what}: {name!r} has values up to {large:.0e}; draws are float32, up to {_LARGEST:.0e}\n"
                    "Give it in a larger unit, or infer its logarithm.",
                    variable=name,
                )

    def _one_each(self, weight: Tensor) -> Tensor:
        if weight.ndim == 0 or weight.numel() != len(weight):
            raise ShapeError(
                f"{self.what}: {WEIGHT!r} has shape {tuple(weight.shape)}, expected (N,): one number for each row",
                variable=WEIGHT,
                got=tuple(weight.shape),
            )
        return weight.flatten()

    def finish(self, *, depth: int) -> None:
        """Warn once about all rows dropped so far, `depth` calls below the user's."""
        if self.dropped:
            warnings.warn(
                f"{self.what}: {self.dropped} of {self.rows} rows dropped because of NaN or infinite values "
                f"({self._reasons()}).",
                DataWarning,
                stacklevel=depth + 1,
            )

    def _valid(self, raw: dict[str, Tensor], joined: dict[str, Tensor], count: int) -> dict[str, Tensor]:
        valid = torch.ones(count, dtype=torch.bool)
        for tensor in joined.values():
            if not torch.isfinite(tensor.sum()):  # which is so wherever a value is not, and rarely by overflow
                valid &= torch.isfinite(tensor).reshape(count, -1).all(1)
        explained = torch.zeros(count, dtype=torch.bool)
        if (empty := without_entries(joined)) is not None:
            self._count("all entries masked", int(empty.sum()))
            explained |= empty
            valid &= ~empty
        invalid = int((~valid).sum())
        self.rows += count
        if not invalid:
            return joined
        self.dropped += invalid
        raw = there_alone(self.pipeline, raw, joined)
        for name, rows in not_finite(self.pipeline, raw).items():
            bad = rows & ~valid & ~explained
            self._count(name, int(bad.sum()))
            explained |= bad
        for reason, rows in self.pipeline.outside(raw):
            self._count(reason, int((rows & ~valid & ~explained).sum()))
            explained |= rows
        self._count("not finite", int((~valid & ~explained).sum()))
        if invalid == count or self.dropped > self.share * self.rows:
            raise DataError(
                f"{self.what}: {self.dropped} of {self.rows} rows have NaN or infinite values ({self._reasons()}); "
                f"at most {self.share:.0%} may be dropped.\n"
                "Mend the simulator or the adapter, or allow more: fit(..., max_invalid_share=...)."
            )
        return {role: tensor[valid] for role, tensor in joined.items()}

    def _count(self, reason: str, rows: int) -> None:
        if rows:
            self.reasons[reason] = self.reasons.get(reason, 0) + rows

    def _reasons(self) -> str:
        return ", ".join(f"{reason}: {rows}" for reason, rows in self.reasons.items())
