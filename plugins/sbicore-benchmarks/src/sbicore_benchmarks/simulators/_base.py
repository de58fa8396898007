"""What the benchmark simulators share: draws of the joint distribution, densities from their parts, shape checks.

`*` stands for any leading axes, D for the number of parameters, C for that of observables. Log densities are
float64; draws are float32.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from sbicore.errors import ConfigError, DataError, ShapeError
from sbicore.randomness import as_seed

from ._priors import Array, Prior

__all__ = ["BenchmarkSimulator", "ExactSimulator", "TractableSimulator"]


class BenchmarkSimulator(ABC):
    """A prior and a simulator of vectors, both vectorised."""

    name: ClassVar[str]
    """The task, as `published(name, observation)` takes it where references are published."""
    parameter_names: ClassVar[tuple[str, ...]]
    observable_names: ClassVar[tuple[str, ...]]
    _prior: ClassVar[Prior]

    @property
    def bounds(self) -> dict[str, Any]:
        """`{"parameters": (low, high)}` of the prior, as `sbicore.build(bounds=...)` takes it; empty without bounds."""
        return {} if self._prior.bounds is None else {"parameters": self._prior.bounds}

    def sample(self, n: int, *, seed: int | None = None) -> dict[str, Array]:
        """`n` draws from the joint distribution: `{"parameters": (n, D), "observables": (n, C)}`.

        Raises:
            ConfigError: `n` is not a whole number >= 1, or `seed` not one >= 0.
        """
        rng = np.random.default_rng(as_seed(seed))
        parameters = self.prior(n, rng)
        return {"parameters": parameters, "observables": self.simulate(parameters, rng)}

    def prior(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws from the prior, `(n, D)`."""
        return self._prior.sample(_count(n), rng).astype(np.float32)

    def prior_log_prob(self, parameters: Any) -> Array:
        """Log density of the prior, `(*, D) -> (*)`; minus infinity outside its support."""
        return self._prior.log_prob(self._parameters(parameters))

    def simulate(self, parameters: Any, rng: np.random.Generator) -> Array:
        """One data set for each parameter vector, `(*, D) -> (*, C)`."""
        return self._simulate(self._parameters(parameters), rng).astype(np.float32)

    @abstractmethod
    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        """`(*, D) -> (*, C)`."""

    def _parameters(self, values: Any) -> Array:
        return self._features("parameters", values, len(self.parameter_names))

    def _observables(self, values: Any) -> Array:
        return self._features("observables", values, len(self.observable_names))

    def _features(self, variable: str, values: Any, size: int) -> Array:
        array = np.asarray(values, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != size:
            raise ShapeError(
                f"{variable!r} of {self.name} has {size} features, got an array of shape {array.shape}.\n"
                f"Give an array of shape (..., {size}).",
                variable=variable,
                expected=("...", size),
                got=array.shape,
            )
        return array


class TractableSimulator(BenchmarkSimulator):
    """One whose likelihood is known."""

    def log_likelihood(self, parameters: Any, observables: Any) -> Array:
        """Log density of observables given parameters, `(*, D), (*, C) -> (*)`; leading axes broadcast."""
        return self._log_likelihood(self._parameters(parameters), self._observables(observables))

    @abstractmethod
    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        """`(*, D), (*, C) -> (*)`."""


class ExactSimulator(TractableSimulator):
    """One whose posterior is known too."""

    def log_evidence(self, observable: Any) -> float:
        """Log marginal density of one observable, `(C,)`."""
        return self._log_evidence(self._one(observable))

    def posterior(self, observable: Any, n: int, rng: np.random.Generator) -> Array:
        """`n` exact posterior draws for one observable, `(C,) -> (n, D)`.

        Raises:
            DataError: the observable lies where the simulator practically never puts one.
        """
        return self._posterior(self._one(observable), _count(n), rng).astype(np.float32)

    def posterior_log_prob(self, parameters: Any, observable: Any) -> Array:
        """Log posterior density given one observable, `(*, D), (C,) -> (*)`."""
        x = self._one(observable)
        return self.prior_log_prob(parameters) + self.log_likelihood(parameters, x) - self._log_evidence(x)

    @abstractmethod
    def _log_evidence(self, x: Array) -> float:
        """Of one observable."""

    @abstractmethod
    def _posterior(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        """`(n, D)` draws."""

    def _impossible(self, x: Array) -> DataError:
        return DataError(
            f"{self.name} does not produce the observable {x.tolist()}, so it has no posterior.\n"
            f"Use one that simulate() or published({self.name!r}, i) gives.",
            variable="observables",
        )

    def _one(self, observable: Any) -> Array:
        array = self._observables(observable)
        if array.ndim != 1:
            raise ShapeError(
                f"The posterior is for one observable of shape {array.shape[-1:]}, got an array of shape "
                f"{array.shape}.\nCall it once for each observable.",
                variable="observables",
                expected=array.shape[-1:],
                got=array.shape,
            )
        return array


def _count(n: Any) -> int:
    if isinstance(n, bool) or not hasattr(n, "__index__") or n.__index__() < 1:
        raise ConfigError(f"n must be a whole number >= 1, got {n!r}\nGive for instance: n=1000")
    return int(n.__index__())
