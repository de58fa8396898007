"""The approximator of posterior probabilities of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from .._messages import listing
from ..errors import ConfigError, DataError
from ..model_comparison import MODEL, model_probabilities
from ..registry import configure
from ._masks import take_masks
from ._pipeline import WEIGHT, tensors_of
from ._ragged import is_mask
from ._roles import ROLES
from ._rows import row_events
from .scoring_rule import ScoringRuleApproximator

__all__ = ["ModelComparisonApproximator"]


class ModelComparisonApproximator(ScoringRuleApproximator):
    """Posterior probabilities of M models and their Bayes factors, by proper scores (arXiv:2305.11241).

    Args:
        inference_network: a network that estimates; by default `scoring_rule_network` with these:
        scoring_rules: rules for models, such as `"cross_entropy"` or `"brier"`; log odds of several are averaged.
        subnet, subnet_kwargs: its body.
        inference_variables: the variable `(N, M)` with a one for the model of each row, or `(N,)` with the number of
            the model, from 0.
        summary_network, adapter, inference_conditions, summary_variables, standardize, fit_kwargs: as for
            `ContinuousApproximator`.

    Raises:
        ConfigError: an argument that cannot work, or a rule that is not for models.
    """

    def __init__(
        self,
        inference_network: Any = None,
        *,
        scoring_rules: Any = "cross_entropy",
        subnet: Any = "mlp",
        subnet_kwargs: Mapping[str, Any] | None = None,
        inference_variables: Any = (MODEL,),
        **arguments: Any,
    ) -> None:
        if inference_network is None:
            inference_network = configure(
                "scoring_rule_network", scoring_rules=scoring_rules, subnet=subnet, subnet_kwargs=subnet_kwargs
            )
        super().__init__(inference_network, inference_variables=inference_variables, **arguments)
        self._adapter = self.pipeline.adapter
        other = [name for name, rule in self.config.rules.items() if rule.targets != "one_hot"]
        if other:
            raise ConfigError(f"the scoring rule {other[0]!r} is not for models\nTake 'cross_entropy' or 'brier'.")

    def look_at(self, data: Mapping[str, Any]) -> None:
        """Numbers of models in one column become vectors, as long as there are models in the first data.

        Raises:
            ConfigError: there is nothing to compare models by.
            DataError: fewer than two models, or numbers that are left out.
        """
        self.pipeline.adapter = self._adapter.copy()
        (name, *others), events = self.pipeline.roles.targets, row_events(data)
        bound = self._adapter.bind({key: event for key, event in events.items() if key != WEIGHT and not is_mask(key)})
        if not self.pipeline.roles.settled(bound.events_out).parts(*ROLES[1:]):
            raise ConfigError(
                "Models are compared given an observation, and none is named\n"
                "Give inference_conditions=[...], or summary_variables=[...] with a summary_network."
            )
        if others or bound.events_out.get(name) not in ((), (1,)):
            return
        given = tensors_of(data, "data", [name] if name in events else bound.events_in)
        take_masks(given)
        column = bound.forward(given)[name]
        numbers = column[torch.isfinite(column)].unique()
        if len(numbers) < 2 or not torch.equal(numbers, torch.arange(len(numbers), dtype=numbers.dtype)):
            raise DataError(
                f"{name!r} must number two or more models from 0 without a gap; the first data have "
                f"{listing(f'{number:g}' for number in numbers[:5].tolist())}\n"
                f"Give such rows, or say which there are: adapter.one_hot({name!r}, categories=[...]).",
                variable=name,
            )
        if bound.events_out[name]:
            self.pipeline.adapter.squeeze(name, axis=-1)
        self.pipeline.adapter.one_hot(name, num_classes=len(numbers))

    def estimate(  # type: ignore[override]
        self,
        conditions: Mapping[str, Any] | None = None,
        *,
        model_prior: Any = None,
        simulated_prior: Any = None,
        as_tensor: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
    ) -> Any:
        """Probabilities, log odds and log Bayes factors of the models for each observation.

        Args:
            conditions: `{name: (O, *event)}`; one observation may leave its axis out.
            model_prior: prior probabilities of the models (M,); by default those of the simulations.
            simulated_prior: shares of the models in the simulations (M,); by default equal.
            as_tensor, progress, chunk_size: as in `ScoringRuleApproximator.estimate`.

        Returns:
            `{"model_probs": (O, M), "log_odds": (O, M), "log_bayes_factors": (O, M)}`, the last two relative to
            the first model.

        Raises:
            NotBuiltError, DataError, ShapeError: as `sample`.
            ConfigError: priors that are none.
        """
        found = super().estimate(conditions, as_tensor=True, progress=progress, chunk_size=chunk_size)
        logits = torch.stack([estimates["logits"].double() for estimates in found.values()]).mean(0)
        result = self.told(logits, model_prior, simulated_prior)
        return result if as_tensor else {name: value.numpy() for name, value in result.items()}

    def told(self, logits: Tensor, model_prior: Any = None, simulated_prior: Any = None) -> dict[str, Tensor]:
        """What `estimate` tells, from the log probabilities `(O, M)` of the models, up to a constant."""
        models = logits.shape[-1]
        simulated = torch.from_numpy(model_probabilities(simulated_prior, models, "simulated_prior")).log()
        factors = logits - simulated
        wanted = simulated
        if model_prior is not None:
            wanted = torch.from_numpy(model_probabilities(model_prior, models, "model_prior")).log()
        odds = factors + wanted
        result = {
            "model_probs": odds.softmax(-1),
            "log_odds": odds - odds[:, :1],
            "log_bayes_factors": factors - factors[:, :1],
        }
        return {name: value.float() for name, value in result.items()}
