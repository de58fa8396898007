"""One thread where several would only wait for each other.

Small matrix products split over all cores stall as soon as another process takes one of them:
ten times slower on two cores, where a single thread loses a third. Loops over such work ask
between pieces, by a probe of a few milliseconds, whether the cores are free.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

__all__ = ["suitable_threads"]

_REPEATS = 6
_PATIENCE = 1.5
_SLOW, _EVERY = 2.5, 200


@contextmanager
def suitable_threads(device: torch.device) -> Iterator[Callable[[], None]]:
    """Yield `check()`, to be called between pieces of work; afterwards all threads are back.

    It probes at first, after a piece that took much longer than usual, and now and then.
    """
    many = torch.get_num_threads()
    if device.type != "cpu" or many == 1:
        yield lambda: None
        return
    chooser = _Chooser(many)
    try:
        yield chooser.check
    finally:
        torch.set_num_threads(many)


class _Chooser:
    def __init__(self, many: int) -> None:
        self.many = many
        self.left, self.right = torch.ones(512, 256), torch.ones(256, 256)
        self.calls = 0
        self.usual = 0.0
        self.last = time.perf_counter()

    def check(self) -> None:
        """Choose between all threads and one, where there is a reason to ask."""
        took = time.perf_counter() - self.last
        if self.calls % _EVERY == 0 or took > _SLOW * self.usual:
            alone = self._seconds(1)
            torch.set_num_threads(1 if self._seconds(self.many) > _PATIENCE * alone else self.many)
        elif self.calls:
            self.usual += 0.1 * (took - self.usual)
        if self.calls == 1:
            self.usual = took
        self.calls += 1
        self.last = time.perf_counter()

    def _seconds(self, threads: int) -> float:
        torch.set_num_threads(threads)
        torch.mm(self.left, self.right)
        start = time.perf_counter()
        for _ in range(_REPEATS):
            torch.mm(self.left, self.right)
        return time.perf_counter() - start
