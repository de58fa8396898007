"""Draws given several exchangeable data sets, by a network that was trained on one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from .._messages import listing
from .._threads import suitable_threads
from ..composition import Items, NormalLaws
from ..errors import ConfigError, DataError, ShapeError
from ..randomness import RowGenerators
from ..training.progress import Progress
from ._masks import take_masks
from ._memory import rows_at_once
from ._pipeline import tensors_of
from ._sampling import Draw, singly

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["flattened", "require_prior", "together"]


def require_prior(model: Approximator, prior: Any, score: Any) -> None:
    """Raise ConfigError where nothing tells the prior."""
    if prior is None and score is None and not getattr(model.config, "drop_cond_prob", 0.0):
        raise ConfigError(
            "n posteriors multiply to the prior n times, and nothing tells the prior\n"
            "Give prior=<object with log_prob>, or compute_prior_score=<function>, or train with drop_cond_prob, for "
            "instance 0.1."
        )


def flattened(model: Approximator, conditions: Any) -> tuple[dict[str, Tensor], int]:
    """Conditions `{name: (O * n, *event)}` from `{name: (O, n, *event)}`, and n.

    Raises:
        DataError, ShapeError: none, or numbers of data sets that differ.
    """
    names = [name for name in model.pipeline.events if name not in model.pipeline.target_names]
    if not names:
        raise ConfigError("This approximator was trained without conditions; there is nothing to compose.")
    if conditions is None:
        raise DataError(f"conditions are missing; trained with: {listing(names)}")
    if isinstance(conditions, Mapping):
        for name, value in conditions.items():
            if isinstance(value, (list, tuple)) and len({_length(row) for row in value}) > 1:
                raise DataError(
                    f"conditions: {name!r} has {', '.join(str(_length(row)) for row in value[:5])} data sets in its "
                    "first observations\nGive each observation as many, or call once for each number.",
                    variable=name,
                )
    conditions = model.pipeline.numeric(conditions, "conditions", lead=2)
    raw = tensors_of(conditions, "conditions", names)
    masks = take_masks(raw)
    raw = model.pipeline.checked(raw, "conditions", lead=2) | masks
    found = {name: tuple(value.shape[:2]) for name, value in raw.items()}
    if len(set(found.values())) > 1:
        told = ", ".join(f"{name} {shape}" for name, shape in found.items())
        raise ShapeError(f"conditions: observations and data sets of each differ: {told}")
    if not raw:
        model.observe(conditions)
    n = next(iter(found.values()))[1]
    if n == 0:
        raise DataError("conditions: no data sets to compose")
    return {name: value.flatten(0, 1) for name, value in raw.items()}, n


def together(
    model: Approximator,
    observed: Tensor,
    score: Callable[[Tensor], Tensor] | None,
    *,
    seed: int,
    progress: bool,
    options: Mapping[str, Any],
) -> Draw:
    """How a block of draws is made given the data sets `observed (O, n, C)`."""
    if observed.shape[1] == 1:
        known = attrs.fields_dict(model.config.sample_options)
        return singly(model, observed[:, 0], {name: options[name] for name in options if name in known})
    if hasattr(model.network, "require_score"):
        model.network.require_score("compositional_sample")
    given: Any = model.config.compositional_sample_options(**options)
    items = Items(observed, prior=score)
    if given.correction == "gauss":
        flat = observed.flatten(0, 1)
        laws = _laws(model, flat, given.covariance_draws, seed, progress, {})
        items = items._replace(posteriors=NormalLaws(*(part.unflatten(0, observed.shape[:2]) for part in laws)))
        if score is None:
            own = _laws(model, flat[:1], given.covariance_draws, seed, progress, {"guidance_strength": 0.0})
            items = items._replace(prior_precision=own.precisions[0])

    def draw(shape: tuple[int, int], rows: list[int], generators: Any, facts: dict[str, Any]) -> Tensor:
        chosen = items.rows(torch.as_tensor(rows, device=observed.device))
        found: Tensor = model.network.compositional_sample(shape, chosen, generator=generators, report=facts, **options)
        return found

    return draw


def _laws(
    model: Approximator, conditions: Tensor, draws: int, seed: int, progress: bool, options: dict[str, Any]
) -> NormalLaws:
    """Means `(N, D)` and unbiased precisions `(N, D, D)` of the posteriors given `conditions (N, C)`, from draws."""
    size = math.prod(model.network.event)
    if draws < size + 3:
        raise ConfigError(
            f"covariance_draws={draws} do not tell a covariance of {size} values\nGive more, for instance {10 * size}."
        ).within("covariance_draws")
    step = max(1, rows_at_once(model) // draws)
    means, precisions = [], []
    model.eval()
    with (
        torch.inference_mode(),
        suitable_threads(model.device) as check_threads,
        Progress(len(conditions), "posteriors of single data sets", enabled=progress, unit="data set") as bar,
    ):
        for start in range(0, len(conditions), step):
            check_threads()
            part = conditions[start : start + step]
            generators = RowGenerators(seed, [(start + k, 0, 0, 1) for k in range(len(part))])
            z = model.network.sample((len(part), draws), part.unsqueeze(1), generator=generators, **options)
            z = z.double().flatten(2)
            mean = z.mean(1, keepdim=True)
            scatter = (z - mean).mT @ (z - mean)
            means.append(mean.squeeze(1))
            precisions.append((draws - size - 2) * torch.linalg.inv(scatter))
            bar.update(len(part))
    return NormalLaws(torch.cat(means), torch.cat(precisions))


def _length(row: Any) -> int:
    return len(row) if hasattr(row, "__len__") and not isinstance(row, str) else 0
