"""The approximator of continuous targets: fit, sample, log_prob, save."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from ..randomness import as_seed
from . import _composition, _density, _sampling
from ._approximator import Approximator
from ._checks import require_capability, require_count, require_options
from ._constrained import sample_constrained
from ._constraints import Constraints
from ._fixed import fixed_targets
from ._prior_density import prior_density, warn_of_impossible
from ._prior_score import prior_score
from ._report import Report

__all__ = ["ContinuousApproximator"]


class ContinuousApproximator(Approximator):
    """Draws and densities of continuous targets.

    Args:
        inference_network: name, mapping, config, or `nn.Module` with the network protocol.
        summary_network: the same for a summary network; it reads `summary_variables`.
        adapter: transforms between the user's variables and the roles.
        inference_variables, inference_conditions, summary_variables: names; by default those of the roles.
        standardize: roles to standardise: `"all"`, None, a role or a list of roles.
        bounds: `{name: (low, high)}` of inferred variables; low or high may be None.
        out_of_bounds: `"transform"` trains in an unbounded space, which no draw can leave; `"reject"`
            draws again, within a budget; `"warn"` counts.
        missing: `"mask"` where NaN stands for what was not measured; see `docs/reference/data.md`.
        fit_kwargs: defaults of the options of `fit`.

    Raises:
        ConfigError: an argument that cannot work.
    """

    def sample(
        self,
        conditions: Mapping[str, Any] | None = None,
        num_samples: int = 1000,
        *,
        fixed: Mapping[str, Any] | None = None,
        constraints: Any = None,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
        **options: Any,
    ) -> Any:
        """Draw from the posterior of each observation.

        Args:
            conditions: `{name: (O, *event)}`; one observation may leave its axis out. None for
                a network without conditions.
            num_samples: draws for each observation, S >= 1.
            fixed: `{name: (O, *event)}` of inferred variables that are given, or one event for all; the others are
                drawn given these. Entries that are NaN are drawn. For networks built with `drop_target_prob`.
            constraints: a function of the parameters `{name: (N, *event)}`, tensors, to numbers `(N,)` that are at most
                0 where it holds, or several: draws are of the posterior where all hold. Those that break one are made
                again; where hardly any holds, networks that follow a score lead them: `constraint_guide`, and
                `sbicore.constraints`.
            seed: without it one is drawn from torch's default generator.
            as_tensor: tensors instead of NumPy arrays.
            report: also return a `Report`: evaluations, steps, seconds, seed, acceptance.
            progress: False for silence.
            chunk_size: draws that are computed together; affects memory and speed only.
            **options: of the network, e.g. `steps`, `method`, `rtol`, `atol`.

        Returns:
            `{name: (O, S, *event)}` in float32, without conditions `(S, *event)`.

        Raises:
            NotBuiltError: not trained yet.
            DataError, ShapeError: missing, misshapen or non-finite conditions.
            ConfigError: an unknown or impossible option; nothing has been computed then.
        """
        self._require_built("sample")
        require_capability(self.config, "sample", "gives no draws")
        started = self._begin("sample", options, num_samples, chunk_size)
        seed = as_seed(seed)
        observed = self.observe(conditions)
        given = fixed_targets(self, fixed, observed)
        how: dict[str, Any] = {"seed": seed, "chunk_size": chunk_size, "progress": progress}
        if limits := Constraints(self, constraints):
            draws, facts = sample_constrained(self, limits, observed, num_samples, given, options=options, **how)
        else:
            numbers = range(1 if observed is None else len(observed))
            draw = _sampling.singly(self, observed, options, given)
            draws, facts = _sampling.sample(self, draw, numbers, num_samples, given, **how)
        if observed is None:
            draws = {name: value[0] for name, value in draws.items()}
        result = self.pipeline.told(draws, as_tensor)
        return (result, Report(seconds=time.perf_counter() - started, seed=seed, **facts)) if report else result

    def compositional_sample(
        self,
        conditions: Mapping[str, Any],
        num_samples: int = 1000,
        *,
        prior: Any = None,
        compute_prior_score: Any = None,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
        **options: Any,
    ) -> Any:
        """Draw from the posterior given n exchangeable data sets, with a network trained on one (arXiv:2209.14249).

        Args:
            conditions: `{name: (O, n, *event)}`; one observation may leave its axis out.
            prior: of the simulations: an object with `log_prob`, for instance of `torch.distributions`, or a mapping
                with one for each inferred variable. Without it the network's own, if it was built with
                `drop_cond_prob`.
            compute_prior_score: in its place, a function from the parameters `{name: (N, *event)}` to their scores.
            num_samples, seed, as_tensor, report, progress, chunk_size: as in `sample`.
            **options: those of `sample`, and `correction`, `covariance_draws`, `mini_batch_size`,
                `compositional_bridge_d0`, `compositional_bridge_d1`: see `sbicore.field_options.CompositionOptions`.

        Returns:
            As `sample`, which is called where n is 1.

        Raises:
            ConfigError: a network that cannot compose, no prior, or an option that does not exist.
            DataError, ShapeError: as `sample`, or numbers of data sets that differ.
        """
        started = self._begin("compositional_sample", options, num_samples, chunk_size)
        require_capability(self.config, "compositional_sample", "does not compose posteriors")
        flat, count = _composition.flattened(self, conditions)
        if count > 1:
            _composition.require_prior(self, prior, compute_prior_score)
        score = prior_score(self, prior, compute_prior_score)
        seed = as_seed(seed)
        embedded: Any = self.observe(flat)
        observed = embedded.unflatten(0, (-1, count))
        draw = _composition.together(self, observed, score, seed=seed, progress=progress, options=options)
        draws, facts = _sampling.sample(
            self, draw, range(len(observed)), num_samples, seed=seed, chunk_size=chunk_size, progress=progress
        )
        if prior is not None and count > 1:
            warn_of_impossible(prior_density(self, prior), draws, depth=2)
        result = self.pipeline.told(draws, as_tensor)
        return (result, Report(seconds=time.perf_counter() - started, seed=seed, **facts)) if report else result

    def log_prob(
        self,
        data: Mapping[str, Any],
        *,
        seed: int | None = None,
        as_tensor: bool = False,
        report: bool = False,
        progress: bool = True,
        chunk_size: int | None = None,
        **options: Any,
    ) -> Any:
        """Log density of inferred variables given conditions, in the space of the user's variables.

        Args:
            data: inferred variables `(N, *event)` and conditions `(N, *event)`, or one
                observation for all rows.
            seed: for options that estimate, such as `hutchinson`.
            as_tensor, report, progress, chunk_size, **options: as in `sample`.

        Returns:
            `(N,)`; minus infinity outside the support that bounds or adapter define. With
            `out_of_bounds="reject"` the density inside is that of the network, not divided by
            the share of draws that are accepted.

        Raises:
            ConfigError: the network has no density, or an option is unknown.
        """
        self._require_built("log_prob")
        require_capability(self.config, "log_prob", "has no density")
        started = self._begin("log_prob", options, chunk_size=chunk_size)
        seed = as_seed(seed)
        values, facts = _density.log_prob(
            self, data, seed=seed, chunk_size=chunk_size, progress=progress, options=options
        )
        result: Any = values if as_tensor else values.numpy()
        return (result, Report(seconds=time.perf_counter() - started, seed=seed, **facts)) if report else result

    def _begin(
        self, call: str, options: Mapping[str, Any], num_samples: int = 1, chunk_size: int | None = None
    ) -> float:
        """Check what every call takes, before anything is computed; when it began."""
        self._require_built(call)
        require_count("num_samples", num_samples)
        if chunk_size is not None:
            require_count("chunk_size", chunk_size)
        require_options(call, getattr(self.config, f"{call}_options"), options)
        return time.perf_counter()
