"""The density of the user's prior in the units of the parameters."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.distributions import Distribution

from .._messages import listing
from ..errors import ConfigError, SamplingWarning, ShapeError
from ._checks import asked

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Parameters", "prior_density", "warn_of_impossible"]

Parameters = dict[str, Tensor]

_FEW = 0.01
"""Share of draws beyond the end of a prior that a network may well make."""


def prior_density(model: Approximator, prior: Any) -> Callable[[Parameters], Tensor]:
    """The log density `(N,)` of a prior of one variable, of a mapping with independent priors, or of all together.

    Outside the support of a distribution of torch it is minus infinity.

    Raises:
        ConfigError: what is given is no prior.
        ShapeError: a distribution of other events.
    """
    names = model.pipeline.target_names
    if isinstance(prior, Mapping):
        if set(prior) != set(names):
            raise ConfigError(f"prior names {listing(prior)}; inferred: {listing(names)}")
        parts = dict(prior)
    elif len(names) == 1:
        parts = {names[0]: prior}
    elif isinstance(prior, Distribution) or not callable(getattr(prior, "log_prob", None)):
        raise ConfigError(
            f"prior must be a mapping with one for each of {listing(names)}\n"
            "Where they depend on each other, give an object whose log_prob takes {name: (N, *event)} to (N,)."
        )
    else:
        return _checked(prior.log_prob, "the prior")
    for name, part in parts.items():
        if not callable(getattr(part, "log_prob", None)):
            raise ConfigError(
                f"the prior of {name!r} has no log_prob: {type(part).__name__}\n"
                "Give an object with log_prob, for instance of torch.distributions, or compute_prior_score."
            )
        if isinstance(part, Distribution):
            _require_event(name, part, model.pipeline.events[name])
            parts[name] = _open(part)

    def log_prob(parameters: Parameters) -> Tensor:
        return sum(
            _checked(partial(_log_prob, part, name), f"the prior of {name!r}")({name: parameters[name]})
            for name, part in parts.items()
        )  # type: ignore[return-value]

    return log_prob


def warn_of_impossible(density: Callable[[Parameters], Tensor], draws: Mapping[str, Tensor], *, depth: int) -> None:
    """Warn of draws `{name: (O, S, *event)}` where the prior has no density.

    Args:
        density: of the prior, `{name: (N, *event)} -> (N,)`.
        draws: in the user's space.
        depth: how many calls the user's is away.
    """
    rows = {name: value.flatten(0, 1).double() for name, value in draws.items()}
    impossible = density(rows).isneginf()
    if int(impossible.sum()) > _FEW * len(impossible):
        warnings.warn(
            f"{int(impossible.sum())} of {len(impossible)} draws lie where the prior has no density: they follow its "
            "slope, which does not tell where it ends.\n"
            "Check that the prior is the one of the simulations, and build with bounds where it has an end.",
            SamplingWarning,
            stacklevel=depth + 1,
        )


def _log_prob(part: Any, name: str, parameters: Parameters) -> Any:
    value = parameters[name]
    found = part.log_prob(value)
    if isinstance(part, Distribution):
        try:
            inside = part.support.check(value)  # type: ignore[union-attr]
        except NotImplementedError:
            return found
        found = torch.where(inside, found, -torch.inf)
    return found


def _checked(log_prob: Callable[[Parameters], Any], what: str) -> Callable[[Parameters], Tensor]:
    """A log density that gives a number a row `(N,)`, or one for each number of the only variable."""

    def checked(parameters: Parameters) -> Tensor:
        found = asked(partial(log_prob, parameters), what)
        values = list(parameters.values())
        fits = [values[0].shape[:1], *(value.shape for value in values if len(values) == 1)]
        if not isinstance(found, Tensor) or found.shape not in fits:
            got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            told = ", ".join(f"{name} {tuple(value.shape)}" for name, value in parameters.items())
            raise ConfigError(f"{what}: log_prob gives {got} for {told}, expected {tuple(fits[0])}")
        alive = sum(0.0 * value.reshape(len(value), -1).sum(1) for value in values)
        total: Tensor = found.reshape(len(found), -1).sum(1) + alive
        return total

    return checked


def _require_event(name: str, prior: Distribution, event: tuple[int, ...]) -> None:
    """Raise ShapeError where draws of a prior have not the shape of the variable, nor one number for all of it."""
    whole, own = tuple(prior.batch_shape + prior.event_shape), tuple(prior.event_shape)
    try:
        fits = tuple(torch.broadcast_shapes(whole, event)) in (event, (1,) if not event and not own else event)
    except RuntimeError:
        fits = False
    if not fits or (own and own != event[-len(own) :]):
        raise ShapeError(
            f"the prior of {name!r} has draws of shape {whole}, and one of {name!r} has shape {event}\n"
            "Give a prior whose draws have that shape.",
            variable=name,
            expected=event,
            got=whole,
        )


def _open(distribution: Distribution) -> Distribution:
    """In double precision, and without complaint outside the support, where its density is 0."""
    found = copy.copy(distribution)
    for name, value in vars(found).items():
        if isinstance(value, Distribution):
            found.__dict__[name] = _open(value)
        elif isinstance(value, Tensor) and value.is_floating_point():
            found.__dict__[name] = value.double()
    found.__dict__["_validate_args"] = False
    return found
