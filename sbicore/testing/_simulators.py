"""Benchmark simulators."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_sample(config: Any) -> None:
    """`sample(n, seed=...)` gives n rows of each variable, which the seed determines."""
    for n in (1, 5):
        data, again = config.sample(n, seed=1), config.sample(n, seed=1)
        assert data, "there are no variables"
        for name, value in data.items():
            assert len(value) == n, f"{n} rows were asked for, {name} has {len(value)}"
            assert np.array_equal(value, again[name]), f"the same seed gives another {name}"
    other = config.sample(5, seed=2)
    assert any(not np.array_equal(data[name], other[name]) for name in data), "another seed gives the same data"


CHECKS = (check_sample,)
