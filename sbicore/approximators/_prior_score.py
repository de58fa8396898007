"""The score of the user's prior in the space of the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._messages import listing
from ..errors import ConfigError
from ._checks import asked
from ._prior_density import Parameters, prior_density

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["prior_score"]


def prior_score(model: Approximator, prior: Any, compute_prior_score: Any) -> Callable[[Tensor], Tensor] | None:
    """The score `(*, D) -> (*, D)` of standardised targets, in double precision; None where neither is given.

    With the parameters p(z), it is the gradient of `log prior(p(z)) + log|det dp/dz|`; of a given score in the
    parameters, what the chain rule makes of it.

    Raises:
        ConfigError: both are given, or what is given is no prior or fails at the mean of the training data.
    """
    if prior is None and compute_prior_score is None:
        return None
    if prior is not None and compute_prior_score is not None:
        raise ConfigError("prior and compute_prior_score say the same\nGive one of them.")
    surrogate = _given_score(compute_prior_score) if prior is None else prior_density(model, prior)
    event = model.network.event

    def score(z: Tensor) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            z = z.detach().clone().double().cpu().requires_grad_()
            flat = z.reshape(-1, *event)
            parameters = model.to_user_space(flat, torch.float64)
            _, log_det = model.pipeline.log_det(parameters)
            total = surrogate(parameters) - log_det
            (gradient,) = torch.autograd.grad(total.sum(), z)
        return gradient

    start = torch.zeros(2, *event).flatten(1)
    if not bool(torch.isfinite(score(start)).all()):
        raise ConfigError(
            "the prior's score is not finite at the mean of the training data\n"
            "Check that the prior is the one of the simulations, and give bounds where it has an end."
        )
    device = model.device
    return lambda z: score(z).to(device)


def _given_score(function: Any) -> Callable[[Parameters], Tensor]:
    """Of a function of scores, one whose gradient they are."""
    if not callable(function):
        raise ConfigError(
            f"compute_prior_score takes a function of the parameters, got {type(function).__name__}\n"
            'Give for instance: lambda parameters: {"theta": -parameters["theta"]}'
        )

    def surrogate(parameters: Parameters) -> Tensor:
        told = {name: value.detach() for name, value in parameters.items()}
        found = asked(partial(function, told), "compute_prior_score")
        if not isinstance(found, Mapping) or set(found) != set(parameters):
            got = listing(found) if isinstance(found, Mapping) else type(found).__name__
            raise ConfigError(
                f"compute_prior_score must return a dict with a score for each of {listing(parameters)}, got {got}"
            )
        total: Any = 0.0
        for name, value in parameters.items():
            score = torch.as_tensor(found[name])
            if score.shape != value.shape:
                raise ConfigError(
                    f"compute_prior_score: the score of {name!r} has shape {tuple(score.shape)}, expected "
                    f"{tuple(value.shape)}"
                )
            total = total + (value * score.detach().to(value)).reshape(len(value), -1).sum(1)
        summed: Tensor = total
        return summed

    return surrogate
