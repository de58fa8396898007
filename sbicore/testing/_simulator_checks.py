"""What is asked of simulators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..protocols import Simulator
from ._check import require, require_protocol


def check_methods(config: Any) -> None:
    """The simulator has `sample(n, seed=...)`."""
    require_protocol(config.build(), Simulator)


def check_arrays(config: Any) -> None:
    """`sample(n)` gives finite arrays of floating-point numbers `(n, *event)` by the names of the variables."""
    events: dict[str, tuple[int, ...]] = {}
    for n in (1, 5):
        data = config.sample(n, seed=1)
        require(isinstance(data, Mapping) and data, f"expected a dict of arrays, got {type(data).__name__}")
        for name, value in data.items():
            require(isinstance(name, str) and isinstance(value, np.ndarray), f"{name!r} holds {type(value).__name__}")
            require(value.shape[:1] == (n,), f"{n} rows were asked for, {name} has shape {value.shape}")
            require(np.issubdtype(value.dtype, np.floating), f"{name} is {value.dtype}")
            require(np.isfinite(value).all(), f"{name} is not finite")
        require(events in ({}, _events(data)), f"events are {events} for one row, {_events(data)} for {n}")
        events = _events(data)


def check_seed(config: Any) -> None:
    """The seed determines the data, another one gives others, and without one they differ from call to call."""
    first, again, other = (config.sample(5, seed=seed) for seed in (1, 1, 2))
    changed = [name for name in first if not np.array_equal(first[name], again[name])]
    require(not changed, f"the same seed gives another {', '.join(changed)}")
    require(not _same(first, other), "another seed gives the same data")
    require(not _same(config.sample(5), config.sample(5)), "without a seed every call gives the same data")


def check_rows(config: Any) -> None:
    """Each row is a draw of its own."""
    data = config.sample(5, seed=1)
    alike = all(np.array_equal(value[0], value[i]) for value in data.values() for i in range(1, 5))
    require(not alike, "all rows are alike")


def check_global_state(config: Any) -> None:
    """NumPy's global generator is neither used nor seeded: draw from `numpy.random.default_rng(seed)`."""
    before = np.random.get_state()[1:3]  # type: ignore[index]
    config.sample(5, seed=1)
    after = np.random.get_state()[1:3]  # type: ignore[index]
    require(np.array_equal(before[0], after[0]) and before[1] == after[1], "a call changes its state")


def _events(data: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: value.shape[1:] for name, value in data.items()}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one)


CHECKS = (check_methods, check_arrays, check_seed, check_rows, check_global_state)
