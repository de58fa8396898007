"""What fits into memory, and what to do where something does not."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..devices import is_memory_error
from ..errors import SamplingError
from ..training.chunks import pixels_at_once
from ._blocks import BLOCK, Chunk

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["require_room", "rows_at_once", "run_within"]

T = TypeVar("T")
_ACCELERATOR_ROWS = 200_000


def rows_at_once(model: Approximator) -> int:
    """Draws of one call of the network: few enough for the cache, or plenty on an accelerator."""
    event, slow = model.pipeline.event("inference_variables") or (), model.device.type == "cpu"
    if len(event) < 2:
        return BLOCK if slow else _ACCELERATOR_ROWS
    return max(1, min(_ACCELERATOR_ROWS, pixels_at_once(model.device) // math.prod(event[:-1])))


def require_room(events: Iterable[Sequence[int]], observations: int, draws: int) -> None:
    """Raise SamplingError where the results alone need more memory than is free, and tell what would fit."""
    each = 4 * observations * sum(math.prod(event) for event in events)
    free = _free_bytes()
    if free is not None and each * draws > free:
        fits = free // each
        advice = f"At most num_samples={fits} would fit." if fits else "Draw for fewer observations at a time."
        raise SamplingError(
            f"{draws} draws for {observations} observation{'s' * (observations > 1)} need {each * draws / 1e9:.3g} GB "
            f"of memory; {free / 1e9:.3g} are free.\n{advice}"
        )


def run_within(pending: Iterable[Chunk], run: Callable[[Chunk], T]) -> Iterator[tuple[Chunk, T]]:
    """Each chunk with what `run` makes of it; where memory does not suffice, it and all later ones are halved.

    Raises:
        SamplingError: a single block is too much.
    """
    queue, most = deque(pending), None
    while queue:
        chunk = queue.popleft()
        if most is not None and len(chunk.rows) > most:
            queue.appendleft(chunk._replace(rows=chunk.rows[most:]))
            chunk = chunk._replace(rows=chunk.rows[:most])
        try:
            found = run(chunk)
        except (MemoryError, RuntimeError) as error:
            if not is_memory_error(error):
                raise
            most = len(chunk.rows) // 2
            if not most:
                raise SamplingError(
                    f"memory does not suffice for {chunk.size} draw{'s' * (chunk.size > 1)} at a time, the fewest "
                    "there are.\nDraw on a device with more, or with a smaller network."
                ) from error
            queue.appendleft(chunk)
            continue
        yield chunk, found


def _free_bytes() -> int | None:
    """Of the machine's memory, as Linux tells it; None elsewhere."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    except OSError:
        return None
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")), None)
