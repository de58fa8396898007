"""Simulations of several models, with the one that made each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._messages import listing
from .errors import ConfigError, DataError, ShapeError
from .simulation import make_simulator

__all__ = ["MODEL", "ModelComparisonSimulator", "model_probabilities"]

MODEL = "model_indices"
"""The variable that says by a one which model made a row: `(N, M)`."""


class ModelComparisonSimulator:
    """Draws a model for each row, and the row from it.

    Variables that not all models have, such as their parameters, are left out.

    Args:
        simulators: two or more, each as `make_simulator` takes it.
        p: probabilities of the models; by default equal.

    Raises:
        ConfigError: fewer than two models, or probabilities that are none.
    """

    def __init__(self, simulators: Sequence[Any], p: Sequence[float] | None = None) -> None:
        if not isinstance(simulators, Sequence) or isinstance(simulators, str) or len(simulators) < 2:
            raise ConfigError(f"a comparison needs two or more simulators in a list, got {simulators!r}")
        self.simulators = [make_simulator(simulator) for simulator in simulators]
        self.p = model_probabilities(p, len(simulators), "p")

    def sample(self, n: int, *, seed: int | None = None) -> dict[str, np.ndarray[Any, Any]]:
        """`n` rows, models mixed: `{"model_indices": (n, M), name: (n, *event)}`.

        Raises:
            DataError, ShapeError: no variable in common, or one that has different shapes.
        """
        sequence = np.random.SeedSequence(seed)
        rng = np.random.default_rng(sequence)
        chosen = rng.choice(len(self.p), size=n, p=self.p)
        seeds = sequence.generate_state(len(self.simulators))
        parts = {}
        for model, simulator in enumerate(self.simulators):
            rows = np.flatnonzero(chosen == model)
            parts[model] = rows, simulator.sample(max(1, len(rows)), seed=int(seeds[model]))
        names = self._shared({model: found for model, (_, found) in parts.items()})
        result: dict[str, np.ndarray[Any, Any]] = {MODEL: np.eye(len(self.p))[chosen]}
        for name in names:
            like = np.asarray(parts[0][1][name])
            joined = np.empty((n, *like.shape[1:]), dtype=np.result_type(*(found[name] for _, found in parts.values())))
            for rows, found in parts.values():
                joined[rows] = found[name][: len(rows)]
            result[name] = joined
        return result

    def _shared(self, parts: Mapping[int, Mapping[str, Any]]) -> list[str]:
        names = [name for name in parts[0] if all(name in found for found in parts.values())]
        if not names:
            raise DataError(f"The models have no variable in common; the first has {listing(parts[0])}")
        for name in names:
            shapes = {model: np.shape(found[name])[1:] for model, found in parts.items()}
            if len(set(shapes.values())) > 1:
                raise ShapeError(
                    f"The models make {name!r} in different shapes: {', '.join(map(str, shapes.values()))}",
                    variable=name,
                )
        return names


def model_probabilities(p: Any, models: int, what: str) -> np.ndarray[Any, Any]:
    """Probabilities of this many models, equal where `p` is None.

    Raises:
        ConfigError: another number of them, not positive, or with another sum than 1.
    """
    if p is None:
        return np.full(models, 1 / models)
    try:
        found = np.asarray(p, dtype=float)
    except (TypeError, ValueError):
        found = np.empty(0)
    if found.shape != (models,) or not (found > 0).all() or abs(found.sum() - 1) > 1e-6:
        raise ConfigError(f"{what} takes {models} probabilities above 0 that sum to 1, got {p!r}")
    return found / found.sum()
