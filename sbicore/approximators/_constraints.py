"""Constraints in the user's parameters, as functions of what the network draws."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from ..constraints import Constraint
from ..errors import ConfigError, SamplingError, SamplingWarning
from ._checks import asked

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["constraints_in_network_space", "warn_of_violations"]


def constraints_in_network_space(model: Approximator, given: Any) -> list[Constraint] | None:
    """Each constraint as a function `x (R, S, *event) -> (R, S)` of standardised targets; None where none is given.

    Raises:
        ConfigError: the network cannot draw under constraints, or one is no function of the parameters that has a
            gradient and gives a finite number a row at the mean of the training data.
    """
    functions = as_functions(given)
    if not functions:
        return None
    config = model.config
    if "constraint_strength" not in attrs.fields_dict(config.sample_options):
        raise ConfigError(
            f"{config.name!r} does not draw under constraints\nTrain for instance a diffusion_model, or reject draws."
        )
    found = [_in_network_space(model, function) for function in functions]
    start = torch.zeros(1, 2, *model.network.event)
    with torch.enable_grad():
        for place, constraint in enumerate(found):
            x = start.clone().requires_grad_()
            value = constraint(x)
            if not value.requires_grad:
                raise ConfigError(
                    f"constraint {place} has no gradient in the parameters\nMake it of torch's operations on them."
                )
    return found


def as_functions(given: Any) -> list[Callable[..., Any]]:
    """One function or several as a list."""
    functions = list(given) if isinstance(given, Sequence) else [] if given is None else [given]
    for function in functions:
        if not callable(function):
            raise ConfigError(
                f"constraints take functions of the parameters, got {type(function).__name__}\n"
                'Give for instance: lambda parameters: parameters["theta"][:, 0] - 1.0, which is at most 0 below 1.'
            )
    return functions


def warn_of_violations(given: Any, draws: Mapping[str, Tensor]) -> None:
    """Warn where more than 1 % of draws `{name: (O, S, *event)}` break a constraint."""
    for place, function in enumerate(as_functions(given)):
        rows = {name: value.flatten(0, 1) for name, value in draws.items()}
        broken = float((_checked(function(rows), rows) > 0).double().mean())
        if broken > 0.01:
            warnings.warn(
                f"{broken:.1%} of the draws break constraint {place}: ask for more steps, or smaller rtol and atol.",
                SamplingWarning,
                stacklevel=4,
            )


def _in_network_space(model: Approximator, function: Callable[..., Any]) -> Constraint:
    event = model.network.event

    def constraint(x: Tensor) -> Tensor:
        lead = x.shape[: x.ndim - len(event)]
        parameters = model.to_user_space(x.reshape(-1, *event).cpu(), torch.float64)
        return _checked(asked(partial(function, parameters), "a constraint"), parameters).reshape(lead).to(x)

    return constraint


def _checked(value: Any, parameters: Mapping[str, Tensor]) -> Tensor:
    rows = len(next(iter(parameters.values())))
    if not isinstance(value, Tensor) or value.shape != (rows,):
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(
            f"a constraint must give one number a row, {(rows,)} for parameters {_shapes(parameters)}, got {got}\n"
            "For several conditions give a list of functions."
        )
    if bool(value.isnan().any()):
        raise SamplingError(
            "a constraint is NaN for some parameters\nWrite it so that it is a number wherever draws may pass."
        )
    return value


def _shapes(parameters: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tuple(value.shape)}" for name, value in parameters.items())
