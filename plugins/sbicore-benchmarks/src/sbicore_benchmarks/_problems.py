"""Small problems with known posteriors, for comparing networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from sbicore.config import SimulatorConfig

from .config import SLCP, TwoMoons
from .published import published

__all__ = ["PROBLEMS", "Problem"]

Array = np.ndarray[Any, Any]

OBSERVATIONS = 3
DRAWS = 10_000
NOISE = 0.5
MATRIX = np.random.default_rng(0).normal(size=(5, 5))


class Problem(NamedTuple):
    """How to simulate, and what the right answer is."""

    simulate: Callable[[int, int], dict[str, Array]]
    """`(n, seed) -> {"parameters": (n, D), "observables": (n, C)}`."""
    references: Callable[[], list[tuple[Array, Array]]]
    """An observable `(C,)` and draws `(10000, D)` from its posterior, for each of three observations."""


def _published(task: str) -> list[tuple[Array, Array]]:
    rows = [published(task, observation) for observation in range(1, OBSERVATIONS + 1)]
    return [(row.observable, row.draws) for row in rows]


def _sampler(task: SimulatorConfig) -> Callable[[int, int], dict[str, Array]]:
    return lambda n, seed: task.sample(n, seed=seed)


def _linear_gaussian(n: int, seed: int) -> dict[str, Array]:
    """`theta ~ Normal(0, I)`, `x ~ Normal(A theta, 0.5^2 I)`, both of size 5, A fixed."""
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(n, 5))
    x = theta @ MATRIX.T + NOISE * rng.normal(size=(n, 5))
    return {"parameters": theta.astype(np.float32), "observables": x.astype(np.float32)}


def _linear_gaussian_references() -> list[tuple[Array, Array]]:
    """The conjugate posterior, `Normal(S A'x / 0.5^2, S)` with `S = (I + A'A / 0.5^2)^-1`."""
    covariance = np.linalg.inv(np.eye(5) + MATRIX.T @ MATRIX / NOISE**2)
    rng = np.random.default_rng(1)
    observables = _linear_gaussian(OBSERVATIONS, seed=2)["observables"]
    means = observables @ MATRIX @ covariance / NOISE**2
    draws = [rng.multivariate_normal(mean, covariance, DRAWS).astype(np.float32) for mean in means]
    return list(zip(observables, draws, strict=True))


PROBLEMS = {
    "two_moons": Problem(_sampler(TwoMoons()), lambda: _published("two_moons")),
    "linear_gaussian": Problem(_linear_gaussian, _linear_gaussian_references),
    "slcp": Problem(_sampler(SLCP()), lambda: _published("slcp")),
}
