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
