"""Batches made in a thread while the steps run."""

from __future__ import annotations

import contextvars
import ctypes
import queue
import random
import sys
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

import numpy as np
import torch

__all__ = ["Beside", "in_background"]

Item = TypeVar("Item")

_WATCHED = 8
_GRACE = 0.05
_END = object()
_MAIN_THREAD_ONLY = ("rpy2", "juliacall", "julia", "matlab")


class Beside:
    """Makes batches beside the steps that use them, where that changes no number.

    Simulators seed the global generators and put them back, which steps that draw from these (dropout) would notice:
    so the first steps run alone, and where they left a global generator changed, all others do. Languages whose
    interpreter must be called from the main thread also leave everything as it was.

    Args:
        enabled: False for nothing in the background.
        depth: how many items to be ahead.
    """

    def __init__(self, enabled: bool, depth: int) -> None:
        self.enabled = enabled and not any(name in sys.modules for name in _MAIN_THREAD_ONLY)
        self.depth = depth
        self.watched = 0

    def over(self, batches: Iterator[Item]) -> Generator[Item, None, None]:
        """The same batches. None is in the making when the last one has been taken."""
        while self.enabled and self.watched < _WATCHED:
            for batch in batches:
                before = _global_state()
                yield batch
                self.enabled = _global_state() == before
                self.watched += 1
                break
            else:
                return
        yield from in_background(batches, self.depth) if self.enabled else batches


def in_background(items: Iterator[Item], depth: int) -> Generator[Item, None, None]:
    """The same items, up to `depth` of them made ahead by a thread that ends with this generator.

    An error of the thread is raised at the next item, with its own traceback.
    """
    free = threading.Semaphore(depth)
    ready: queue.SimpleQueue[Any] = queue.SimpleQueue()
    failures: list[BaseException] = []
    stopped = threading.Event()

    def work() -> None:
        try:
            while free.acquire() and not stopped.is_set():
                ready.put(item := next(items, _END))
                if item is _END:
                    return
        except BaseException as error:
            failures.append(error)
            ready.put(_END)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="sbicore rows", daemon=True)
    thread.start()
    try:
        while True:
            item = _taken(ready)
            if failures:
                raise failures[0]
            if item is _END:
                return
            free.release()
            yield item
            del item  # so that no more than `depth` and one are alive
    finally:
        stopped.set()
        free.release()
        _end(thread)


def _taken(ready: queue.SimpleQueue[Any]) -> Any:
    """The next item; the wait is short of the time in which Ctrl-C would seem lost."""
    while True:
        try:
            return ready.get(timeout=0.5)
        except queue.Empty:
            continue


def _end(thread: threading.Thread) -> None:
    """Wait for the thread; interrupt what runs in it, as Ctrl-C interrupts the main thread."""
    thread.join(_GRACE)
    if thread.is_alive():
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        thread.join()


def _global_state() -> tuple[Any, ...]:
    keys = np.random.get_state(legacy=False)["state"]
    return random.getstate(), keys["key"].tobytes(), keys["pos"], torch.get_rng_state().numpy().tobytes()
