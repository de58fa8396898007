"""How draws are cut into blocks, and blocks into calls of the network.

Observation i draws block b from the generator of `(seed, i, b)`. A block holds 1,000 draws (the
last one of an observation the rest), so that neither the memory budget nor the company of
other observations decides what is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["BLOCK", "Chunk", "chunks"]

BLOCK = 1_000


class Chunk(NamedTuple):
    """Equal blocks that run together: pairs of observation and block, and their size."""

    rows: list[tuple[int, int]]
    size: int


def chunks(observations: int, draws: int, budget: int) -> Iterator[Chunk]:
    """All blocks, grouped by size into calls of at most `budget` draws (at least one block)."""
    full, rest = divmod(draws, BLOCK)
    for size, blocks in ((BLOCK, range(full)), (rest, range(full, full + 1))):
        if not size:
            continue
        rows = [(i, b) for i in range(observations) for b in blocks]
        step = max(1, budget // size)
        for start in range(0, len(rows), step):
            yield Chunk(rows[start : start + step], size)
