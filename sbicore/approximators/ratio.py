"""The approximator of ratios of posterior to prior: fit, log_ratio, sample, save."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn

import torch
from torch import Tensor

from .._messages import did_you_mean
from ..errors import ConfigError
from ..randomness import as_seed
from ..training.sources import Source
from ._approximator import Approximator
from ._checks import require_count
from ._density import in_blocks, pairs
from ._importance import importance_sample
from ._mcmc import mcmc_sample
from ._memory import rows_at_once
from ._prior_draws import has_density
from ._ratio_network import RatioNetwork, require_rows_beside
from ._report import Report

__all__ = ["RatioApproximator"]

KEPT = 2**15
"""Training parameters that stay with the approximator, as draws of the prior."""
_METHODS = {"importance": importance_sample, "mcmc": mcmc_sample}


class RatioApproximator(Approximator):
    """The logarithm of `p(theta | x) / p(theta)`, learnt by contrast (arXiv:2210.06170), and draws by it.

    A classifier learns which of K parameters is behind an observation, if any; the others are those of other rows of
    the batch. Any subnet of vectors serves, with or without a summary network.

    Args:
        inference_network: the classifier's config, as a saved one has it; by default made of what follows.
        subnet, subnet_kwargs: body of the classifier, which reads parameters and conditions; by default an `mlp` of
            five layers of 128. Two layers are too few for curved posteriors.
        K: contrastive parameters for each row; below the batch size.
        gamma: odds, above 0, that one of the K belongs to the observation against that none does.
        balanced: whether to add the balance condition to the loss, by which ratios are rather too flat than too sharp
            (arXiv:2208.13624).
        summary_network, adapter, inference_variables, inference_conditions, summary_variables, standardize, bounds,
            out_of_bounds, missing, fit_kwargs: as for `ContinuousApproximator`. Conditions or summaries are needed.

    Raises:
        ConfigError: an argument that cannot work.
    """

    kept: Tensor

    def __init__(
        self,
        inference_network: Any = None,
        *,
        subnet: Any = None,
        subnet_kwargs: Mapping[str, Any] | None = None,
        K: int = 5,
        gamma: float = 1.0,
        balanced: bool = False,
        **arguments: Any,
    ) -> None:
        if inference_network is None:
            body = {} if subnet is None else {"subnet": subnet}
            inference_network = RatioNetwork.from_kwargs(
                **body, subnet_kwargs=subnet_kwargs, K=K, gamma=gamma, balanced=balanced
            )
        if not isinstance(inference_network, RatioNetwork):
            raise ConfigError(
                f"A ratio is learnt by a classifier, not by {getattr(inference_network, 'name', inference_network)!r}\n"
                "Give for instance: RatioApproximator(subnet='mlp', inference_variables=[...])."
            )
        super().__init__(inference_network, **arguments)
        self.register_buffer("kept", torch.empty(0))

    @staticmethod
    def network_from(saved: Mapping[str, Any]) -> RatioNetwork:
        """See `Approximator.network_from`."""
        return RatioNetwork(**{name: value for name, value in saved.items() if name != "name"})

    def forget_data(self) -> None:
        """As `Approximator.forget_data`."""
        super().forget_data()
        self.kept = torch.empty(0)

    def remember(self, targets: Tensor) -> None:
        """Keep some of the training parameters."""
        self.kept = targets[:KEPT].clone()

    def require_source(self, source: Source) -> None:
        """Refuse batches that are too small for the contrast."""
        require_rows_beside(self.config.K, source.batch_size, "A batch")
        if source.validation is not None:
            require_rows_beside(self.config.K, len(source.validation["inference_variables"]), "A validation set")

    def restore(self, tensors: Mapping[str, Tensor], history: Mapping[str, Any], standardized: list[str]) -> None:
        """As `Approximator.restore`."""
        self.kept = torch.empty_like(tensors.get("kept", self.kept))
        super().restore(tensors, history, standardized)

    def log_ratio(
        self,
        data: Mapping[str, Any],
        *,
        as_tensor: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
    ) -> Any:
        """`log p(theta | x) - log p(theta)`, which is also `log p(x | theta) - log p(x)`.

        Both densities change alike with the variables, so the ratio is that of the user's own, whatever adapter,
        bounds or standardisation are between.

        Args:
            data: inferred variables `(N, *event)` and conditions `(N, *event)`, or one observation for all rows.
            as_tensor: a tensor instead of a NumPy array.
            progress: False for silence.
            chunk_size: rows that are computed together; affects memory and speed only.

        Returns:
            `(N,)` in float32; minus infinity outside the support that bounds or adapter define.

        Raises:
            NotBuiltError: not trained yet.
            DataError, ShapeError: missing, misshapen or non-finite data.
        """
        self._require_built("log_ratio")
        if chunk_size is not None:
            require_count("chunk_size", chunk_size)
        given = pairs(self, data, density=False)
        values = in_blocks(
            self,
            given,
            lambda z, conditions, rows: self.network.log_ratio(z, conditions),
            what="log_ratio",
            step=chunk_size or rows_at_once(self),
            progress=progress,
        )
        result = torch.where(given.supported, values, -torch.inf).float()
        return result if as_tensor else result.numpy()

    def log_prob(self, data: Mapping[str, Any], **options: Any) -> NoReturn:
        """Not known to a ratio.

        Raises:
            ConfigError: always; it says what to add to `log_ratio`.
        """
        raise ConfigError(
            "A ratio is a density relative to the prior's, and has none of its own\n"
            "Add the prior's: approximator.log_ratio(data) + prior.log_prob(theta)."
        )

    def sample(
        self,
        conditions: Mapping[str, Any],
        num_samples: int = 1000,
        *,
        prior: Any = None,
        method: str | None = None,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
        **options: Any,
    ) -> Any:
        """Draw from the posterior of each observation.

        Args:
            conditions: `{name: (O, *event)}`; one observation may leave its axis out.
            num_samples: draws for each observation, S >= 1.
            prior: to draw from: what `make_simulator` takes, such as the simulator of the training, a distribution of
                `torch.distributions`, or a mapping with one for each inferred variable. By default some of the training
                parameters, which are kept. For `"mcmc"` one with `log_prob`.
            method: `"importance"` draws again from draws of the prior, weighted by their ratios. `"mcmc"` starts the
                walkers of a Markov chain there (emcee, arXiv:1202.3665; needs the package), which fill the posterior
                however small its part of the prior. By default the latter where the prior has `log_prob`.
            seed: without it one is drawn from torch's default generator.
            as_tensor: tensors instead of NumPy arrays.
            report: also return a `Report`: effective sample sizes, acceptance, seconds, seed.
            progress: False for silence.
            chunk_size: rows that are computed together; affects memory and speed only.
            **options: `candidates`, draws of the prior; of the Markov chain `walkers`, `warmup` and `thin`: see
                `sbicore.ratio_options`.

        Returns:
            `{name: (O, S, *event)}` in float32.

        Raises:
            NotBuiltError: not trained yet.
            DataError, ShapeError: missing, misshapen or non-finite conditions, or draws of the prior.
            ConfigError: an unknown method or option, or a prior that cannot serve.
            SamplingError: no draw of the prior has a weight.
        """
        self._require_built("sample")
        require_count("num_samples", num_samples)
        if chunk_size is not None:
            require_count("chunk_size", chunk_size)
        if method is None:
            method = "mcmc" if has_density(prior) else "importance"
        if method not in _METHODS:
            raise ConfigError(
                f"method={method!r} is unknown{did_you_mean(str(method), _METHODS)}\nChoices: {', '.join(_METHODS)}"
            )
        started = time.perf_counter()
        seed = as_seed(seed)
        draws, facts = _METHODS[method](
            self, conditions, num_samples, prior, seed=seed, progress=progress, chunk_size=chunk_size, options=options
        )
        result = self.pipeline.told(draws, as_tensor)
        if not report:
            return result
        return result, Report(
            seconds=time.perf_counter() - started, seed=seed, **{"evaluations": None, "steps": None, **facts}
        )
