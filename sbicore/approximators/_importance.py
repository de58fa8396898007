"""Draws of the prior, drawn again by their ratios."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._threads import suitable_threads
from ..errors import SamplingError, SamplingWarning
from ..randomness import generator_for
from ..ratio_options import ImportanceOptions
from ..training.progress import Progress
from ._checks import require_options
from ._prior_draws import effective_sample_size, log_ratios, outside, prior_draws

if TYPE_CHECKING:
    from .ratio import RatioApproximator

__all__ = ["importance_sample", "weighted"]

LOW = 100
"""Effective draws below which quantiles of the posterior are off by more than a tenth of its deviation."""


def importance_sample(
    model: RatioApproximator,
    conditions: Mapping[str, Any],
    draws: int,
    prior: Any,
    *,
    seed: int,
    progress: bool,
    chunk_size: int | None,
    options: Mapping[str, Any],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Draws `{name: (O, S, *event)}` and the facts of a report."""
    require_options("sample of a ratio", ImportanceOptions, options)
    settings = ImportanceOptions(**options)
    observed = model.observe(conditions)
    if observed is None:
        raise SamplingError("a ratio needs an observation")
    candidates = prior_draws(model, prior, settings.candidates, seed)
    values = model.to_user_space(candidates)
    model.eval()
    sizes, chosen = [], []
    with (
        suitable_threads(model.device) as check_threads,
        Progress(len(observed), "sampling", enabled=progress, unit="observation") as bar,
    ):
        for i in range(len(observed)):
            check_threads()
            log_weights = weighted(model, candidates, values, observed[i : i + 1], i, chunk_size)
            sizes.append(effective_sample_size(log_weights))
            chosen.append(_drawn(log_weights, draws, seed, i))
            bar.update(1)
    enough = min(draws, LOW)
    poor = [i for i, size in enumerate(sizes) if size < enough]
    if poor:
        remedy = "more candidates=..." if prior is not None else "prior=..., from which more can be drawn"
        warnings.warn(
            f"For {len(poor)} of {len(sizes)} observations the draws are worth fewer than {enough}, for number "
            f"{poor[0]} {sizes[poor[0]]:.1f} of {len(candidates)} candidates.\n"
            f"Give {remedy}, or take method='mcmc'.",
            SamplingWarning,
            stacklevel=3,
        )
    index = torch.stack(chosen)
    facts = {"effective_sample_size": tuple(sizes), "evaluations": len(candidates) / draws}
    return {name: value[index] for name, value in values.items()}, facts


def weighted(
    model: RatioApproximator,
    candidates: Tensor,
    values: Mapping[str, Tensor],
    observed: Tensor,
    number: int,
    chunk_size: int | None,
) -> Tensor:
    """Log weights `(M,)` of candidates given one observation.

    Raises:
        SamplingError: none has a weight.
    """
    found = log_ratios(model, candidates, observed, chunk_size)
    if bool(torch.isnan(found).any()):
        raise SamplingError(
            f"ratios of observation {number} are not finite\n"
            "Compare the conditions with those of the training, or train again with a lower learning_rate."
        )
    found = torch.where(outside(model, values), -torch.inf, found)
    if not bool(torch.isfinite(found).any()):
        raise SamplingError(f"no draw of the prior is inside the bounds: {', '.join(model.bounds)}")
    return found


def _drawn(log_weights: Tensor, count: int, seed: int, number: int) -> Tensor:
    """Indices `(S,)`, drawn with replacement in proportion to the weights."""
    cumulative = log_weights.softmax(0).cumsum(0)
    u = torch.rand(count, generator=generator_for(seed, 1, number), dtype=torch.float64) * cumulative[-1]
    return torch.searchsorted(cumulative, u, right=True).clamp_max(len(cumulative) - 1)
