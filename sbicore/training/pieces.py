"""Rows that are read in pieces, and shuffled within a budget of memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence

import torch
from torch import Tensor

from .background import in_background
from .padding import padded
from .sources import Batch

__all__ = ["PieceSource"]


class PieceSource:
    """Each epoch reads all pieces in a new order, and shuffles the rows of those that are in memory together.

    Two groups of rows are in memory, one that is trained on and the next, which is read meanwhile.

    Args:
        read: the ready rows of a piece, always the same ones.
        sizes: how many rows each piece has.
        validation: rows apart from these, if any.
        group_rows: the most rows of a group.
        identity: what tells these rows from others.
        background: whether pieces may be read beside the steps.
    """

    def __init__(
        self,
        read: Callable[[int], Batch],
        sizes: Sequence[int],
        validation: Batch | None,
        *,
        batch_size: int,
        group_rows: int,
        identity: str,
        device: torch.device,
        seed: int,
        background: bool,
    ) -> None:
        self.read, self.sizes, self.identity = read, list(sizes), identity
        count = sum(self.sizes)
        self.batch_size = min(batch_size, count)
        self.group_rows = min(max(group_rows, self.batch_size + max(self.sizes)), count)
        self.steps_per_epoch = count // self.batch_size
        self.validation = validation
        self.device = device
        self.generator = torch.Generator().manual_seed(seed)
        self.background = background
        self.memory = _Group(self.group_rows), _Group(self.group_rows)

    def about(self) -> str:
        """See `Source`."""
        return self.identity

    def state(self) -> Batch:
        """See `Source`."""
        return {"generator": self.generator.get_state()}

    def restore(self, state: Batch) -> None:
        """See `Source`."""
        self.generator.set_state(state["generator"])

    def epoch(self) -> Generator[Batch, None, None]:
        """Every row at most once; only those of an incomplete last batch are left out."""
        seed = int(torch.randint(2**62, (), generator=self.generator))
        groups = self._groups(torch.Generator().manual_seed(seed))
        for rows, batches in in_background(groups, 1) if self.background else groups:
            for index in batches:
                yield {role: value[index].to(self.device, non_blocking=True) for role, value in rows.items()}

    def _groups(self, generator: torch.Generator) -> Iterator[tuple[Batch, tuple[Tensor, ...]]]:
        """Rows of several pieces, and the indices of each batch; what is left over goes to the next group."""
        order = [piece for piece in torch.randperm(len(self.sizes), generator=generator).tolist() if self.sizes[piece]]
        group, other = self.memory
        group.count = 0
        for piece, following in itertools.zip_longest(order, order[1:]):
            group.add(self.read(piece))
            if following is not None and group.count + self.sizes[following] <= self.group_rows:
                continue
            index = torch.randperm(group.count, generator=generator)
            whole = group.count // self.batch_size * self.batch_size
            if whole:
                yield group.rows, index[:whole].split(self.batch_size)
            other.count = 0  # only now is the group before this one used up
            other.add({role: value[index[whole:]] for role, value in group.rows.items()})
            group, other = other, group


class _Group:
    """Memory for at most this many rows, filled from the start again and again."""

    def __init__(self, most: int) -> None:
        self.most, self.count = most, 0
        self.memory: Batch = {}

    @property
    def rows(self) -> Batch:
        """Those that are there."""
        return {role: value[: self.count] for role, value in self.memory.items()}

    def add(self, rows: Batch) -> None:
        """Append; shorter rows end in zeros, False in a mask."""
        stop = self.count + len(next(iter(rows.values())))
        for role, value in rows.items():
            kept = self.memory.get(role)
            if kept is None:
                kept = self.memory[role] = value.new_empty(self.most, *value.shape[1:])
            elif kept.shape[1:2] < value.shape[1:2]:
                kept = self.memory[role] = padded([kept, value[:0]])
            elif kept.shape[1:2] > value.shape[1:2]:
                value = padded([kept[:0], value])
            kept[self.count : stop] = value
        self.count = stop
