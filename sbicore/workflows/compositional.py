"""The workflow for posteriors given several exchangeable data sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..approximators._checks import require_capability
from .basic import BasicWorkflow

__all__ = ["CompositionalWorkflow"]


class CompositionalWorkflow(BasicWorkflow):
    """Train on single data sets, and draw given any number of them.

    Args:
        simulator, adapter: as in `BasicWorkflow`; the simulator makes one data set.
        inference_network: one that composes, by default `diffusion_model`.
        prior, compute_prior_score: of `compositional_sample`, for every call.
        **arguments: as in `BasicWorkflow`.

    Raises:
        ConfigError: a network that does not compose, or an unknown argument.
    """

    def __init__(
        self,
        simulator: Any = None,
        adapter: Any = None,
        inference_network: Any = "diffusion_model",
        *,
        prior: Any = None,
        compute_prior_score: Any = None,
        **arguments: Any,
    ) -> None:
        super().__init__(simulator, adapter, inference_network, **arguments)
        require_capability(self.approximator.config, "compositional_sample", "does not compose posteriors")
        self.prior, self.compute_prior_score = prior, compute_prior_score

    def compositional_sample(self, conditions: Mapping[str, Any], num_samples: int = 1000, **options: Any) -> Any:
        """Draws given all data sets of each observation; see `ContinuousApproximator.compositional_sample`."""
        if "prior" not in options and "compute_prior_score" not in options:
            options |= {"prior": self.prior, "compute_prior_score": self.compute_prior_score}
        return self.approximator.compositional_sample(conditions, num_samples, **options)
