"""Rows that are read in pieces, and shuffled within a budget of memory."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence

import torch
from torch import Tensor

from .background import in_background
from .padding import padded
from .sources import Batch

__all__ = ["PieceSource"]


class PieceSource:
    """Each epoch reads all pieces in a new order, and shuffles the rows of those that are in memory together.

    Args:
        read: the ready rows of a piece, always the same ones.
        sizes: how many rows each piece has.
        validation: rows apart from these, if any.
        group_rows: rows that are in memory together; the next such group is read meanwhile.
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
        self.group_rows = max(group_rows, self.batch_size)
        self.steps_per_epoch = count // self.batch_size
        self.validation = validation
        self.device = device
        self.generator = torch.Generator().manual_seed(seed)
        self.background = background

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
        waiting: list[Batch] = []
        count = 0
        order = [piece for piece in torch.randperm(len(self.sizes), generator=generator).tolist() if self.sizes[piece]]
        for piece in order:
            waiting.append(self.read(piece))
            count += self.sizes[piece]
            if count < self.group_rows and piece != order[-1]:
                continue
            rows = {role: padded([part[role] for part in waiting]) for role in waiting[0]}
            whole = count // self.batch_size * self.batch_size
            index = torch.randperm(count, generator=generator)
            waiting, count = [{role: value[index[whole:]] for role, value in rows.items()}], count - whole
            if whole:
                yield rows, index[:whole].split(self.batch_size)
            del rows  # so that three groups, not four, are alive
