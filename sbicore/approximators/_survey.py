"""One pass over a store before training: what is in it, and which of its rows validate."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import Generator

from ..errors import ConfigError, DataError
from ..randomness import seed_for
from ..stores import Store
from ..training.progress import Progress
from ..training.sources import Batch, require_same_names
from ._masks import mask_of
from ._pipeline import WEIGHT
from ._standardizer import Moments
from ._weights import WeightMean

__all__ = ["Survey"]

_GROUPS = 3
"""Two groups are alive at once, in use and read; the third part is for validation, a batch and a piece."""
_VALIDATION = 8


class Survey:
    """Counts rows, takes the moments of all that are trained on, and holds out the same share of every piece.

    Args:
        store: what is read.
        clean: valid rows by role from those of a piece.
        roles: whose moments are taken.
        share: of the rows that validate; at most an eighth of the memory.
        memory: bytes of the rows in memory.
        batch_size: rows of a step.
        seed: of the choice.
        progress: whether to show it.

    Raises:
        ConfigError: a piece of the store, or a batch, is too large for the memory.
        DataError, ShapeError: rows that cannot be used.
    """

    def __init__(
        self,
        store: Store,
        clean: Callable[..., Batch],
        roles: Collection[str],
        *,
        share: float,
        memory: int,
        batch_size: int,
        seed: int,
        progress: bool,
    ) -> None:
        self.store, self.seed = store, seed
        self.moments = {role: Moments() for role in roles}
        self.weights = WeightMean("training rows")
        self.sizes: list[int] = []
        self._held: list[int] = []
        validation: list[Batch] = []
        seen = 0
        first: Batch | None = None
        with Progress(len(store), "reading", enabled=progress, unit="row") as bar:
            for index in range(len(store.pieces)):
                rows = clean(store.read(index))
                count = _count(rows)
                if first is None:
                    first = rows
                    row_bytes = max(sum(value.nbytes for value in rows.values()) // count, store.row_bytes, 1)
                    self.group_rows = memory // _GROUPS // row_bytes
                    self._require_room(batch_size, row_bytes)
                    share = min(share, memory / _VALIDATION / row_bytes / len(store))
                require_same_names(first, rows)
                held = round(share * (seen + count)) - round(share * seen)
                seen += count
                self._held.append(held)
                self.sizes.append(count - held)
                if held:
                    order = self._order(index, count)[:held]
                    validation.append({role: value[order] for role, value in rows.items()})
                self._add(self._trained_on(rows, index))
                bar.update(store.sizes[index])
        self.validation: Batch | None = None
        if validation:
            self.validation = {role: torch.cat([part[role] for part in validation]) for role in validation[0]}

    def training_rows(self, index: int, clean: Callable[..., Batch]) -> Batch:
        """Those of a piece that do not validate.

        Raises:
            DataError: not as many as before.
        """
        rows = clean(self.store.read(index))
        count = self.sizes[index] + self._held[index]
        if _count(rows) != count:
            raise DataError(f"{self.store.pieces[index].file} was changed while it is read")
        return self._trained_on(rows, index)

    def _trained_on(self, rows: Batch, index: int) -> Batch:
        held = self._held[index]
        if not held:
            return rows
        order = self._order(index, _count(rows))[held:]
        return {role: value[order] for role, value in rows.items()}

    def _add(self, rows: Batch) -> None:
        self.weights.add(rows.get(WEIGHT))
        for role, moments in self.moments.items():
            moments.add(rows[role], rows.get(mask_of(role)))

    def _order(self, index: int, count: int) -> torch.Tensor:
        return torch.randperm(count, generator=Generator().manual_seed(seed_for(self.seed, index)))

    def _require_room(self, batch_size: int, row_bytes: int) -> None:
        largest = max(self.store.sizes)
        needed = largest + min(batch_size, len(self.store))
        if needed > self.group_rows:
            raise ConfigError(
                f"memory_mb has room for {self.group_rows} rows at a time; {self.store.path} is read by {largest}, "
                f"and a batch has {batch_size}\nGive memory_mb={-(-needed * row_bytes * _GROUPS >> 20)} or more."
            )


def _count(rows: Batch) -> int:
    return len(rows["inference_variables"])
