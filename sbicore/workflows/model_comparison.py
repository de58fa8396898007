"""The workflow for the comparison of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..approximators import ModelComparisonApproximator
from ..model_comparison import ModelComparisonSimulator
from .basic import BasicWorkflow

__all__ = ["ModelComparisonWorkflow"]


class ModelComparisonWorkflow(BasicWorkflow):
    """Simulate several models, train, and tell their posterior probabilities.

    Args:
        simulators: two or more, each as `make_simulator` takes it; or a `ModelComparisonSimulator`.
        p: probabilities of the models in the simulations; by default equal.
        initial_learning_rate: peak learning rate of every fit.
        **arguments: of `ModelComparisonApproximator`: `scoring_rules`, `subnet`, `subnet_kwargs`, `summary_network`,
            `inference_conditions`, `summary_variables`, `adapter`, ...

    Raises:
        ConfigError: as those two.
    """

    def __init__(
        self,
        simulators: Sequence[Any] | ModelComparisonSimulator,
        *,
        p: Sequence[float] | None = None,
        initial_learning_rate: float | None = None,
        **arguments: Any,
    ) -> None:
        if not isinstance(simulators, ModelComparisonSimulator):
            simulators = ModelComparisonSimulator(simulators, p)
        self.simulator: Any = simulators
        self.initial_learning_rate = initial_learning_rate
        self.approximator: ModelComparisonApproximator = ModelComparisonApproximator(**arguments)

    def estimate(self, conditions: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Probabilities and Bayes factors; see `ModelComparisonApproximator.estimate`."""
        return self.approximator.estimate(conditions, **{"simulated_prior": self.simulator.p, **options})

    def plot_default_diagnostics(  # type: ignore[override]
        self,
        test_data: int | Mapping[str, Any],
        *,
        model_names: Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Figures by name: `loss` (after training), `confusion_matrix`, `calibration` (needs sbicore-diagnostics).

        Args:
            test_data: data sets with `model_indices`, which training has not seen; or how many to simulate.
            model_names: labels; by default M1, M2, ...
            seed: for test data.
            **options: of `estimate`.

        Raises:
            NotBuiltError, DataError, ShapeError, ConfigError: as `BasicWorkflow.plot_default_diagnostics`.
        """
        from .. import diagnostics

        plots = diagnostics.default_plots_of_models
        found = self._answers(test_data, 1, None, seed, options)
        figures = {"loss": diagnostics.loss(self.history)} if self.history.loss else {}
        probabilities, (true, *_) = found.values["model_probs"], found.targets.values()
        return figures | plots(probabilities, true, model_names)

    def compute_default_diagnostics(  # type: ignore[override]
        self,
        test_data: int | Mapping[str, Any],
        *,
        model_names: Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> Any:
        """A table of Accuracy, Expected Calibration Error and Brier Score by model; see `plot_default_diagnostics`."""
        from .. import diagnostics

        metrics = diagnostics.default_metrics_of_models
        found = self._answers(test_data, 1, None, seed, options)
        probabilities, (true, *_) = found.values["model_probs"], found.targets.values()
        return metrics(probabilities, true, model_names)
