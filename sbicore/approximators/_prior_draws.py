"""Draws of the prior in the space of the network, and their weights given an observation."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from .._messages import given_instead, listing
from ..errors import ConfigError, DataError, ShapeError
from ..randomness import generator_for, seed_for
from ..simulation import make_simulator
from ._bounds import outside_bounds
from ._checks import asked, require_rows
from ._memory import rows_at_once
from ._pipeline import tensors_of
from ._roles import ROLES

if TYPE_CHECKING:
    from .ratio import RatioApproximator

__all__ = ["effective_sample_size", "has_density", "log_ratios", "outside", "prior_draws"]

_WHAT = "draws of the prior"


def prior_draws(model: RatioApproximator, prior: Any, count: int, seed: int) -> Tensor:
    """Standardised draws `(M, D)`: `count` of a prior, or at most as many of those kept from the training.

    Raises:
        ConfigError: nothing that can be drawn from.
        DataError, ShapeError: draws that are not those of the inferred variables.
    """
    if prior is None:
        kept = model.kept.cpu()
        order = torch.randperm(len(kept), generator=generator_for(seed, 0))
        return kept[order[:count]]
    _joined(model, prior, 1, seed)  # what cannot serve is told before many are drawn
    return model.standardized(_joined(model, prior, count, seed))["inference_variables"]


def _joined(model: RatioApproximator, prior: Any, count: int, seed: int) -> dict[str, Tensor]:
    """Draws by role, checked."""
    names = model.pipeline.target_names
    made = tensors_of(_made(prior, names, count, seed_for(seed, 0)), _WHAT)
    missing = [name for name in names if name not in made]
    if missing:
        raise DataError(
            f"{_WHAT} lack {listing(missing)}{given_instead(missing[0], made)}\nFound: {listing(made)}",
            variable=missing[0],
        )
    for name in names:
        event, got = model.pipeline.events.get(name), tuple(made[name].shape[1:])
        if event is not None and event != got:
            raise ShapeError(
                f"{_WHAT}: one of {name!r} has shape {got}, and {event} in training\n"
                "Give a prior whose draws have that shape.",
                variable=name,
                expected=event,
                got=got,
            )
    raw = model.pipeline.checked({name: made[name] for name in names}, _WHAT, lead=1)
    require_rows(raw, _WHAT)
    joined = model.pipeline.forward(raw, ROLES[:1])
    x = joined["inference_variables"]
    bad = ~torch.isfinite(x).flatten(1).all(1)
    if bool(bad.any()):
        raise DataError(
            f"{int(bad.sum())} of {len(x)} {_WHAT} are not finite, or outside the bounds or the domain of the adapter\n"
            "Give the prior of the simulations."
        )
    return joined


def _made(prior: Any, names: tuple[str, ...], count: int, seed: int) -> Any:
    """Draws of whatever prior by name."""
    if isinstance(prior, Distribution):
        prior = {names[0]: prior} if len(names) == 1 else prior
    if isinstance(prior, Mapping):
        if set(prior) != set(names):
            raise ConfigError(f"prior names {listing(prior)}; inferred: {listing(names)}")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return {name: _sampled(name, part, count) for name, part in prior.items()}
    if isinstance(prior, Distribution):
        raise ConfigError(f"prior must be a mapping with one for each of {listing(names)}")
    if callable(prior) or isinstance(prior, (list, tuple)) or callable(getattr(prior, "sample", None)):
        return make_simulator(prior).sample(count, seed=seed)
    raise ConfigError(
        f"prior cannot be drawn from: {type(prior).__name__}\n"
        "Give the simulator, a function that makes a dict of parameters, or a distribution of torch.distributions."
    )


def _sampled(name: str, prior: Any, count: int) -> Any:
    if not callable(getattr(prior, "sample", None)):
        raise ConfigError(
            f"the prior of {name!r} has no sample: {type(prior).__name__}\n"
            "Give a distribution of torch.distributions, or leave prior out to take training parameters."
        )
    return asked(partial(prior.sample, (count,)), f"the prior of {name!r}")


def has_density(prior: Any) -> bool:
    """Whether a prior, or each of a mapping, has a `log_prob`."""
    parts = list(prior.values()) if isinstance(prior, Mapping) else [prior]
    return all(callable(getattr(part, "log_prob", None)) for part in parts)


@torch.no_grad()
def log_ratios(model: RatioApproximator, z: Tensor, observed: Tensor, chunk_size: int | None = None) -> Tensor:
    """`(M, D), (1, C) -> (M,)` in float64 on the CPU."""
    step = chunk_size or rows_at_once(model)
    parts = [
        model.network.log_ratio(block.to(model.device, model.dtype).unsqueeze(0), observed.unsqueeze(1))[0]
        for block in z.split(step)
    ]
    return torch.cat(parts).double().cpu()


def outside(model: RatioApproximator, values: Mapping[str, Tensor]) -> Tensor:
    """Which rows `(N, *event)` of the user's variables leave the bounds, `(N,)`."""
    return outside_bounds(model.bounds, {name: value.unsqueeze(0) for name, value in values.items()})[0]


def effective_sample_size(log_weights: Tensor) -> float:
    """Kish's: the square of the sum of the weights over the sum of their squares."""
    return float(torch.exp(2 * torch.logsumexp(log_weights, 0) - torch.logsumexp(2 * log_weights, 0)))
