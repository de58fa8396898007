"""Constraints in the user's parameters: what draws break, and as functions of what the network draws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..constraints import Constraint
from ..errors import ConfigError, SamplingError
from ._checks import asked

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Constraints"]


class Constraints:
    """Functions of the parameters `{name: (N, *event)}`, tensors, to numbers `(N,)`, at most 0 where they hold.

    Args:
        model: a trained approximator.
        given: one function or several; none are as no constraints.

    Raises:
        ConfigError: one is no function, or gives something else at the mean of the training data.
        SamplingError: one is NaN there.
    """

    def __init__(self, model: Approximator, given: Any) -> None:
        self.model = model
        self.functions = list(given) if isinstance(given, Sequence) else [] if given is None else [given]
        for function in self.functions:
            if not callable(function):
                raise ConfigError(
                    f"constraints take functions of the parameters, got {type(function).__name__}\n"
                    'Give for instance: lambda parameters: parameters["theta"][:, 0] - 1.0, which is at most 0 below 1.'
                )
        for function in self.functions:
            self._in_network_space(function)(torch.zeros(1, 2, *model.network.event))

    def __bool__(self) -> bool:
        return bool(self.functions)

    def broken(self, draws: Mapping[str, Tensor]) -> Tensor:
        """Which draws `(R, S)` of `{name: (R, S, *event)}` break one."""
        lead = next(iter(draws.values())).shape[:2]
        rows = {name: value.flatten(0, 1) for name, value in draws.items()}
        return torch.stack([_value(function, rows) > 0 for function in self.functions]).any(0).reshape(lead)

    def in_network_space(self) -> list[Constraint]:
        """Each as a function `x (R, S, *event) -> (R, S)` of standardised targets.

        Raises:
            ConfigError: one has no gradient.
        """
        found = [self._in_network_space(function) for function in self.functions]
        start = torch.zeros(1, 2, *self.model.network.event)
        with torch.enable_grad():
            for place, constraint in enumerate(found):
                if not constraint(start.clone().requires_grad_()).requires_grad:
                    raise ConfigError(
                        f"constraint {place} has no gradient in the parameters\n"
                        "Make it of torch's operations on them, or give constraint_guide='rejection'."
                    )
        return found

    def _in_network_space(self, function: Callable[..., Any]) -> Constraint:
        event = self.model.network.event

        def constraint(x: Tensor) -> Tensor:
            lead = x.shape[: x.ndim - len(event)]
            parameters = self.model.to_user_space(x.reshape(-1, *event).cpu(), torch.float64)
            return _value(function, parameters).reshape(lead).to(x)

        return constraint


def _value(function: Callable[..., Any], parameters: Mapping[str, Tensor]) -> Tensor:
    value = asked(partial(function, dict(parameters)), "a constraint")
    rows = len(next(iter(parameters.values())))
    if not isinstance(value, Tensor) or value.shape != (rows,):
        got = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(
            f"a constraint must give one number a row, {(rows,)} for parameters {_shapes(parameters)}, got {got}\n"
            "For several conditions give a list of functions."
        )
    if value.dtype == torch.bool:
        raise ConfigError(
            "a constraint gave True and False, and holds where a number is at most 0\n"
            'Write for instance parameters["theta"][:, 0] - 1.0 in place of parameters["theta"][:, 0] < 1.0.'
        )
    if bool(value.isnan().any()) and all(bool(part.isfinite().all()) for part in parameters.values()):
        raise SamplingError(
            "a constraint is NaN for some parameters\nWrite it so that it is a number wherever draws may pass."
        )
    return value


def _shapes(parameters: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tuple(value.shape)}" for name, value in parameters.items())
