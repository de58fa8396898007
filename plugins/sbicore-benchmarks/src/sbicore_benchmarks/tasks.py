"""The published tasks as every tool of a benchmark gets them: simulations, observations, references."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sbicore.errors import DataError
from sbicore.registry import resolve

from ._words import unknown
from .published import TASKS, Published, published

__all__ = ["known_task", "observation", "prior_bounds", "simulations", "simulator"]

Array = np.ndarray[Any, Any]

LOGARITHMIC = ("lotka_volterra",)
"""Tasks whose observables span many orders of magnitude; all tools see their logarithms."""


class _Logarithmic:
    """A simulator with the logarithms of its observables."""

    def __init__(self, simulator: Any) -> None:
        self.simulator = simulator

    def sample(self, n: int, *, seed: int | None = None) -> dict[str, Array]:
        """`n` rows."""
        rows = self.simulator.sample(n, seed=seed)
        return {**rows, "observables": np.log(rows["observables"])}


def known_task(name: str) -> str:
    """The name itself.

    Raises:
        ConfigError: no published task is called so.
    """
    if name not in TASKS:
        raise unknown("task", name, TASKS)
    return name


def simulator(task: str) -> Any:
    """The simulator of a task, with `sample(n, seed=...)`."""
    built = resolve(known_task(task), kind="simulator")().build()
    return _Logarithmic(built) if task in LOGARITHMIC else built


def simulations(task: str, n: int, seed: int) -> dict[str, Array]:
    """`{"parameters": (n, D), "observables": (n, C)}`."""
    rows: dict[str, Array] = simulator(task).sample(n, seed=seed)
    return rows


def observation(task: str, number: int) -> Published:
    """A published observation (1 to 10) with its reference draws.

    Raises:
        DataError: the files are neither in the cache nor can they be downloaded.
    """
    found = published(task, number)
    if task not in LOGARITHMIC:
        return found
    if not np.all(found.observable > 0):
        raise DataError(f"observation {number} of {task!r} has values of zero or less; it has no logarithm")
    return found._replace(observable=np.log(found.observable))


def prior_bounds(task: str) -> Mapping[str, Any]:
    """`bounds=` for `sbicore.build`: those of the prior; empty where it has none."""
    bounds: Mapping[str, Any] = resolve(known_task(task), kind="simulator")().build().bounds
    return {name: (_listed(low), _listed(high)) for name, (low, high) in bounds.items()}


def _listed(side: Any) -> Any:
    return None if side is None or not np.all(np.isfinite(side)) else np.asarray(side, float).tolist()
