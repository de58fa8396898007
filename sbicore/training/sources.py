"""Where training batches come from: rows in memory, or a function that makes fresh ones."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Protocol

import torch
from torch import Tensor

from .._messages import listing
from ..errors import DataError
from .background import Beside
from .checkpoint import digest
from .padding import padded

__all__ = ["Batch", "FreshSource", "MemorySource", "Source", "require_same_names"]

Batch = dict[str, Tensor]


class Source(Protocol):
    """Batches of role tensors, ready on the device."""

    steps_per_epoch: int
    batch_size: int
    validation: Batch | None

    def epoch(self) -> Generator[Batch, None, None]:
        """The batches of the next epoch."""
        ...

    def about(self) -> str | None:
        """A fingerprint of the rows, empty where they are made anew; None where no other process could go on."""
        ...

    def state(self) -> Batch:
        """What decides the next epochs."""
        ...

    def restore(self, state: Batch) -> None:
        """Go on from there."""
        ...


class MemorySource:
    """All rows as tensors; a batch is an index gather, and a new permutation is drawn each epoch.

    Rows lie on the device while they take less than half of its free memory, else on the CPU.
    The rows of an incomplete last batch wait for another epoch's permutation.
    """

    def __init__(
        self, rows: Batch, validation: Batch | None, batch_size: int, *, device: torch.device, seed: int
    ) -> None:
        count = len(next(iter(rows.values())))
        self.batch_size = min(batch_size, count)
        self.steps_per_epoch = count // self.batch_size
        self.device = device
        home = device if _fits(rows, device) else torch.device("cpu")
        self.rows = {role: tensor.to(home) for role, tensor in rows.items()}
        self.validation = validation and {role: tensor.to(home) for role, tensor in validation.items()}
        self.count = count
        self.generator = torch.Generator().manual_seed(seed)

    def about(self) -> str:
        """See `Source`."""
        return digest(self.rows)

    def state(self) -> Batch:
        """See `Source`."""
        return {"generator": self.generator.get_state()}

    def restore(self, state: Batch) -> None:
        """See `Source`."""
        self.generator.set_state(state["generator"])

    def epoch(self) -> Generator[Batch, None, None]:
        """Every row at most once."""
        home = next(iter(self.rows.values())).device
        order = torch.randperm(self.count, generator=self.generator).to(home)
        for index in order[: self.steps_per_epoch * self.batch_size].split(self.batch_size):
            yield {role: rows[index].to(self.device, non_blocking=True) for role, rows in self.rows.items()}


class FreshSource:
    """Rows made as they are needed, each used once.

    Args:
        make: `make(n, call) -> Batch` of at least one and at most n rows (invalid ones are dropped) for the number of
            the call, from 1.
        chunk: rows asked for at a time.
        repeats: whether the same number gives the same rows in another process.
        background: whether rows may be made beside the steps.
    """

    def __init__(
        self,
        make: Callable[[int, int], Batch],
        validation: Batch | None,
        *,
        batch_size: int,
        steps_per_epoch: int,
        chunk: int,
        device: torch.device,
        repeats: bool,
        background: bool = False,
    ) -> None:
        self.make, self.repeats, self.calls = make, repeats, 0
        self.batch_size, self.steps_per_epoch = batch_size, steps_per_epoch
        self.chunk = max(chunk, batch_size)
        self.device = device
        self.validation = validation and {role: tensor.to(device) for role, tensor in validation.items()}
        self.spare: Batch = {}
        self.beside = Beside(background, depth=max(1, self.chunk // batch_size))

    def about(self) -> str | None:
        """See `Source`."""
        return "" if self.repeats else None

    def state(self) -> Batch:
        """See `Source`."""
        return {"calls": torch.tensor(self.calls), **{f"spare.{role}": value for role, value in self.spare.items()}}

    def restore(self, state: Batch) -> None:
        """See `Source`."""
        self.calls = int(state["calls"])
        self.spare = {
            name.removeprefix("spare."): value.to(self.device) for name, value in state.items() if name != "calls"
        }

    def epoch(self) -> Generator[Batch, None, None]:
        """`steps_per_epoch` batches."""
        return self.beside.over(self._batches())

    def _batches(self) -> Iterator[Batch]:
        for step in range(self.steps_per_epoch):
            missing = (self.steps_per_epoch - step) * self.batch_size
            while self._available() < self.batch_size:
                self.calls += 1
                rows = self.make(min(self.chunk, missing), self.calls)
                made = {role: t.to(self.device) for role, t in rows.items()}
                require_same_names(self.spare or made, made)
                self.spare = {role: padded([self.spare[role], t]) if self.spare else t for role, t in made.items()}
            yield {role: tensor[: self.batch_size] for role, tensor in self.spare.items()}
            self.spare = {role: tensor[self.batch_size :] for role, tensor in self.spare.items()}

    def _available(self) -> int:
        return len(next(iter(self.spare.values()))) if self.spare else 0


def require_same_names(one: Iterable[str], other: Iterable[str]) -> None:
    """Two batches of one data set.

    Raises:
        DataError: a variable that only one of them has.
    """
    some = sorted(set(one) ^ set(other))
    if some:
        raise DataError(f"batches have different variables: {listing(some)}\nGive each batch all of them, or none.")


def _fits(rows: Batch, device: torch.device) -> bool:
    if device.type != "cuda":
        return True
    free, _ = torch.cuda.mem_get_info(device)
    return sum(tensor.nbytes for tensor in rows.values()) < free / 2
