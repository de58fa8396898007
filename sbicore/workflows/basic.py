"""The workflow for one model and one posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._arguments import arguments_of, unknown_argument
from .._messages import close_match
from ..errors import ConfigError, NotBuiltError, UnknownHyperparameterError
from ..registry import build
from ..simulation import make_simulator
from ._diagnosed import Diagnosed

if TYPE_CHECKING:
    from ..adapter import Adapter
    from ..approximators import ContinuousApproximator
    from ..training import History

__all__ = ["BasicWorkflow"]

_BUILT = (
    "inference_variables",
    "inference_conditions",
    "summary_variables",
    "standardize",
    "bounds",
    "out_of_bounds",
    "missing",
    "fit_kwargs",
    "preset",
    "ensemble",
)


class BasicWorkflow(Diagnosed):
    """Simulate, train, draw and look, with one declaration of what is inferred.

    Args:
        simulator: what `make_simulator` takes, such as functions, an object with `sample(n, seed=...)` or the name of
            an installed simulator; None to train on given data only.
        adapter: an `sbicore.Adapter`.
        inference_network: name, mapping, config or module.
        summary_network: the same for a summary network.
        initial_learning_rate: peak learning rate of every fit; by default that of the preset, or 5e-4.
        **arguments: of `sbicore.build`: `preset`, `inference_variables`, `inference_conditions`,
            `summary_variables`, `standardize`, `bounds`, `out_of_bounds`, `missing`,
            `fit_kwargs`, `ensemble`.

    Raises:
        ConfigError: an unknown argument.
    """

    def __init__(
        self,
        simulator: Any = None,
        adapter: Adapter | None = None,
        inference_network: Any = "flow_matching",
        summary_network: Any = None,
        *,
        initial_learning_rate: float | None = None,
        **arguments: Any,
    ) -> None:
        self.simulator = None if simulator is None else make_simulator(simulator)
        self.initial_learning_rate = initial_learning_rate
        try:
            self.approximator: ContinuousApproximator = build(
                inference_network, adapter=adapter, summary_network=summary_network, **arguments
            )
        except UnknownHyperparameterError as error:
            own = [*arguments_of(type(self)), *_BUILT]
            near = close_match(error.name, [*own, error.near] if error.near else own)
            if error.path or (near is not None and near not in own):
                raise
            more = ", and the hyperparameters of a network given by name"
            raise unknown_argument(type(self).__name__, error.name, own, more) from None

    @property
    def history(self) -> History:
        """Record of all fits."""
        return self.approximator.history

    def simulate(self, n: int, *, seed: int | None = None, **options: Any) -> dict[str, Any]:
        """`n` rows of the simulator, `{name: (n, *event)}`; options are those of its `sample`, such as `given`."""
        return self._simulator().sample(n, seed=seed, **options)

    def fit(self, data: Any = None, **options: Any) -> History:
        """Train on what `approximator.fit` takes; without data on the workflow's simulator.

        Args:
            data: dict of arrays, data frame, another simulator, iterable of batches, or store.
            **options: as in `approximator.fit`.
        """
        if data is None and options.get("simulator") is None:
            data = self._simulator()
        return self.approximator.fit(data, **self._options({}, options))

    def fit_online(
        self,
        epochs: int | None = None,
        num_batches_per_epoch: int | None = None,
        batch_size: int | None = None,
        **options: Any,
    ) -> History:
        """Train on fresh simulations. Options and their defaults as in `approximator.fit`."""
        given = {"epochs": epochs, "num_batches_per_epoch": num_batches_per_epoch, "batch_size": batch_size}
        return self.approximator.fit(self._simulator(), **self._options(given, options))

    def fit_offline(
        self, data: Any, epochs: int | None = None, batch_size: int | None = None, **options: Any
    ) -> History:
        """Train on a dict of arrays. Options and their defaults as in `approximator.fit`."""
        return self.approximator.fit(data, **self._options({"epochs": epochs, "batch_size": batch_size}, options))

    def fit_disk(self, path: Any, epochs: int | None = None, batch_size: int | None = None, **options: Any) -> History:
        """Train on a data set that need not fit into memory; see `approximator.fit_disk`."""
        return self.approximator.fit_disk(path, **self._options({"epochs": epochs, "batch_size": batch_size}, options))

    def sample(self, conditions: Mapping[str, Any] | None = None, num_samples: int = 1000, **options: Any) -> Any:
        """Posterior draws; see `ContinuousApproximator.sample`."""
        return self.approximator.sample(conditions, num_samples, **options)

    def log_prob(self, data: Mapping[str, Any], **options: Any) -> Any:
        """Log densities; see `ContinuousApproximator.log_prob`."""
        return self.approximator.log_prob(data, **options)

    def estimate(self, conditions: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Statistics of the posterior; see `ScoringRuleApproximator.estimate`.

        Raises:
            ConfigError: the network does not estimate.
        """
        return self.approximator.estimate(conditions, **options)

    def plot_loss(self, **options: Any) -> Any:
        """Figure of the training and validation loss (needs sbicore-diagnostics).

        Raises:
            NotBuiltError: nothing has been trained yet.
        """
        from .. import diagnostics

        if not self.history.loss:
            raise NotBuiltError(
                "There is no loss to plot yet.\nTrain first: workflow.fit(data), or workflow.fit_online()"
            )
        return diagnostics.loss(self.history, **options)

    def save(self, path: Any) -> None:
        """Save the approximator; `sbicore.load(path)` reads it."""
        self.approximator.save(path)

    def _simulator(self) -> Any:
        if self.simulator is None:
            raise ConfigError(
                "This workflow has no simulator.\nGive BasicWorkflow(simulator=...), or train on data: fit(data)."
            )
        return self.simulator

    def _options(self, named: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
        """What the user gave, and the workflow's own learning rate."""
        given = {"learning_rate": self.initial_learning_rate, **named}
        return {name: value for name, value in given.items() if value is not None} | options
