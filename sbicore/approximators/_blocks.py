"""How draws are cut into blocks, and blocks into calls of the network.

Observation i draws block b from the generator of `(seed, i, b)`. A block holds 1,000 draws, of images
fewer (the last one of an observation the rest), so that neither the memory budget nor the company of
other observations decides what is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["BLOCK", "Chunk", "block_of", "chunks"]

BLOCK = 1_000
_PIXELS = 16_384
"""Of a block of images."""


class Chunk(NamedTuple):
    """Equal blocks that run together: pairs of observation and block, and their size."""

    rows: list[tuple[int, int]]
    size: int


def block_of(event: Sequence[int]) -> int:
    """Draws of a block for targets of this shape, which alone decides on it."""
    return BLOCK if len(event) < 2 else max(1, min(BLOCK, _PIXELS // math.prod(event[:-1])))


def chunks(observations: Sequence[int], draws: int, budget: int, block: int = BLOCK) -> Iterator[Chunk]:
    """All blocks, grouped by size into calls of at most `budget` draws (at least one block)."""
    full, rest = divmod(draws, block)
    for size, blocks in ((block, range(full)), (rest, range(full, full + 1))):
        if not size:
            continue
        rows = [(i, b) for i in observations for b in blocks]
        step = max(1, budget // size)
        for start in range(0, len(rows), step):
            yield Chunk(rows[start : start + step], size)
