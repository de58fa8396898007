"""A simulator in training, watched for what would spoil it without an error."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from .._messages import listing
from ..errors import DataWarning, ShapeError
from ._pipeline import Pipeline

__all__ = ["Watched"]

_COMPARED = 64
"""Rows of the first two calls that are compared, at most."""
_TELLING = 8
"""Rows that are not the same by chance, of variables that vary."""


class Watched:
    """`sample(n, seed=...)` of a simulator, which must make n rows, and others for another seed.

    Args:
        simulator: with `sample(n, seed=...)`.
        pipeline: which knows what is inferred once the first rows have been seen.
        depth: how many calls below the user's its first two calls are, for the place of a warning.
    """

    def __init__(self, simulator: Any, pipeline: Pipeline, *, depth: int) -> None:
        self.simulator, self.pipeline, self.depth = simulator, pipeline, depth
        self.calls = 0
        self.first: dict[str, tuple[bytes, ...]] = {}

    def sample(self, n: int, *, seed: int) -> Any:
        """Rows of the simulator.

        Raises:
            ShapeError: not n of them.
        """
        rows = self.simulator.sample(n, seed=seed)
        if isinstance(rows, Mapping):
            _require_rows(rows, n)
            self.calls += 1
            if self.calls <= 2:
                self._compare(rows)
        return rows

    def _compare(self, rows: Mapping[str, Any]) -> None:
        found = {str(name): _start(values) for name, values in rows.items()}
        targets = {name: found[name] for name in self.pipeline.target_names if name in found and self.first}
        rows_vary = any(len(set(start)) >= _TELLING for start in targets.values())
        if rows_vary and all(start == self.first[name][: len(start)] for name, start in targets.items()):
            warnings.warn(
                f"The simulator made the same {listing(targets)} for two seeds: every step learns from these alone.\n"
                "Draw random numbers from the seed: np.random.default_rng(seed).",
                DataWarning,
                stacklevel=self.depth,
            )
        self.first = found


def _require_rows(rows: Mapping[str, Any], n: int) -> None:
    for name, values in rows.items():
        count = len(values) if isinstance(values, list) or np.ndim(values) else None
        if count != n:
            made = "one value" if count is None else f"{count} rows"
            raise ShapeError(
                f"The simulator made {made} of {name!r} where {n} rows were asked for\n"
                "Its sample(n, seed=...) returns arrays (n, *event).",
                variable=str(name),
            )


def _start(values: Any) -> tuple[bytes, ...]:
    """The first rows."""
    return tuple(np.asarray(value).tobytes() for value in values[:_COMPARED])
