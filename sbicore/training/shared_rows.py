"""Batches for several members that learn from the same rows, each with an order or a share of its own.

With `data_reuse` r, each of K members learns from the share 1 / (r + (1 - r) K) of the rows: all of them where r is 1,
parts that have no row in common where r is 0. In between these parts overlap, as windows on a ring.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import closing
from typing import Protocol

import torch

from ..randomness import seed_for
from .sources import Batch, FreshSource, MemorySource

__all__ = ["FreshWindows", "OwnOrders", "SharedRows", "pool_size", "share_of", "windows"]

_SLACK = 1e-9


class SharedRows(Protocol):
    """A source for several members."""

    steps_per_epoch: int
    batch_size: int
    validation: Batch | None

    def together(self) -> Generator[list[Batch], None, None]:
        """The batches of the next epoch, one for each member."""
        ...


class OwnOrders:
    """Rows in memory: a part of them for each member, in an order of its own.

    Args:
        source: all rows.
        members: K.
        data_reuse: r.
        batch_size: rows of a step of each member.
        seed: of the orders.
    """

    def __init__(self, source: MemorySource, members: int, data_reuse: float, batch_size: int, *, seed: int) -> None:
        self.parts = windows(source.count, members, data_reuse)
        whole = len(self.parts[0]) == source.count
        self.sources = [
            MemorySource(
                source.rows if whole else {role: rows[part.to(rows.device)] for role, rows in source.rows.items()},
                None,
                batch_size,
                device=source.device,
                seed=seed_for(seed, k),
            )
            for k, part in enumerate(self.parts)
        ]
        self.validation = source.validation
        self.batch_size = self.sources[0].batch_size
        self.steps_per_epoch = self.sources[0].steps_per_epoch

    def together(self) -> Generator[list[Batch], None, None]:
        """See `SharedRows`."""
        return (list(batches) for batches in zip(*(source.epoch() for source in self.sources), strict=True))


class FreshWindows:
    """Rows made as they are needed: a window of each pool for each member, beginning elsewhere.

    Args:
        source: pools of rows.
        members, data_reuse, batch_size: as for `OwnOrders`.
    """

    def __init__(self, source: FreshSource, members: int, data_reuse: float, batch_size: int) -> None:
        self.source, self.members = source, members
        self.batch_size = min(batch_size, max(1, len(windows(source.batch_size, members, data_reuse)[0])))
        self.steps_per_epoch, self.validation = source.steps_per_epoch, source.validation

    def together(self) -> Generator[list[Batch], None, None]:
        """See `SharedRows`."""
        with closing(self.source.epoch()) as pools:
            for pool in pools:
                count = len(next(iter(pool.values())))
                parts = _ring(count, self.members, self.batch_size)
                yield [{role: rows[part.to(rows.device)] for role, rows in pool.items()} for part in parts]


def share_of(members: int, data_reuse: float) -> float:
    """The share of the rows from which each member learns."""
    return 1 / (data_reuse + (1 - data_reuse) * members)


def pool_size(batch_size: int, members: int, data_reuse: float) -> int:
    """Rows from which each member takes a batch of this size."""
    return math.ceil(batch_size / share_of(members, data_reuse) - _SLACK)


def windows(count: int, members: int, data_reuse: float) -> list[torch.Tensor]:
    """The numbers of the rows of each member, `(W,)` each."""
    return _ring(count, members, math.floor(count * share_of(members, data_reuse) + _SLACK))


def _ring(count: int, members: int, length: int) -> list[torch.Tensor]:
    starts = [round(k * count / members) for k in range(members)]
    return [(torch.arange(length) + start) % count for start in starts]
