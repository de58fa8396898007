"""The workflow for one model and one posterior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .._messages import close_match, did_you_mean, listing
from ..errors import ConfigError, NotBuiltError, UnknownHyperparameterError
from ..registry import build
from ..simulation import make_simulator

if TYPE_CHECKING:
    from ..adapter import Adapter
    from ..approximators import ContinuousApproximator
    from ..training import History

__all__ = ["BasicWorkflow"]

_OWN = ("simulator", "adapter", "inference_network", "summary_network", "initial_learning_rate")
_BUILT = (
    "inference_variables",
    "inference_conditions",
    "summary_variables",
    "standardize",
    "bounds",
    "out_of_bounds",
)


class BasicWorkflow:
    """Simulate, train, draw and look, with one declaration of what is inferred.

    Args:
        simulator: what `make_simulator` takes, or an object with `sample(n, seed=...)`; None
            to train on given data only.
        adapter: an `sbicore.Adapter`.
        inference_network: name, mapping, config or module.
        summary_network: the same for a summary network.
        initial_learning_rate: peak learning rate of every fit.
        **arguments: of `sbicore.build`: `inference_variables`, `inference_conditions`,
            `summary_variables`, `standardize`, `bounds`, `out_of_bounds`.

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
        initial_learning_rate: float = 5e-4,
        **arguments: Any,
    ) -> None:
        self.simulator = None if simulator is None else make_simulator(simulator)
        self.initial_learning_rate = initial_learning_rate
        try:
            self.approximator: ContinuousApproximator = build(
                inference_network, adapter=adapter, summary_network=summary_network, **arguments
            )
        except UnknownHyperparameterError as error:
            if error.path or error.near:
                raise
            own = [*_OWN, *_BUILT]
            raise UnknownHyperparameterError(
                f"BasicWorkflow has no argument {error.name!r}{did_you_mean(error.name, own)}\n"
                f"It takes {listing(own)}, and the hyperparameters of a network given by name.",
                name=error.name,
                near=close_match(error.name, own),
            ) from None

    @property
    def history(self) -> History:
        """Record of all fits."""
        return self.approximator.history

    def simulate(self, n: int, *, seed: int | None = None) -> dict[str, Any]:
        """`n` rows of the simulator, `{name: (n, *event)}`."""
        return self._simulator().sample(n, seed=seed)

    def fit_online(
        self, epochs: int = 100, num_batches_per_epoch: int = 100, batch_size: int = 128, **options: Any
    ) -> History:
        """Train on fresh simulations. Other options as in `approximator.fit`."""
        return self.approximator.fit(
            self._simulator(),
            epochs=epochs,
            num_batches_per_epoch=num_batches_per_epoch,
            batch_size=batch_size,
            **self._with_rate(options),
        )

    def fit_offline(self, data: Any, epochs: int = 100, batch_size: int = 128, **options: Any) -> History:
        """Train on a dict of arrays. Other options as in `approximator.fit`."""
        return self.approximator.fit(data, epochs=epochs, batch_size=batch_size, **self._with_rate(options))

    def sample(self, conditions: Mapping[str, Any] | None = None, num_samples: int = 1000, **options: Any) -> Any:
        """Posterior draws; see `ContinuousApproximator.sample`."""
        return self.approximator.sample(conditions, num_samples, **options)

    def log_prob(self, data: Mapping[str, Any], **options: Any) -> Any:
        """Log densities; see `ContinuousApproximator.log_prob`."""
        return self.approximator.log_prob(data, **options)

    def plot_loss(self, **options: Any) -> Any:
        """Figure of the training and validation loss (needs sbicore-diagnostics).

        Raises:
            NotBuiltError: nothing has been trained yet.
        """
        from .. import diagnostics

        if not self.history.loss:
            raise NotBuiltError("There is no loss to plot yet.\nTrain first: workflow.fit_online(...)")
        return diagnostics.loss(self.history, **options)

    def save(self, path: Any) -> None:
        """Save the approximator; `sbicore.load(path)` reads it."""
        self.approximator.save(path)

    def _simulator(self) -> Any:
        if self.simulator is None:
            raise ConfigError("This workflow has no simulator.\nGive BasicWorkflow(simulator=...), or use fit_offline.")
        return self.simulator

    def _with_rate(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"learning_rate": self.initial_learning_rate, **options}
