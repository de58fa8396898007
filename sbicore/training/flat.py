"""All weights of a module as views of a few vectors, so that an update is a handful of operations."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

__all__ = ["FlatParameters", "Span"]


class Span(NamedTuple):
    """Where a parameter lies: the number of the vector, and its entries there."""

    group: int
    start: int
    stop: int


class FlatParameters:
    """One vector for each dtype, with its gradient; the module's parameters become views of them.

    `release` gives each parameter storage of its own again.
    """

    def __init__(self, module: nn.Module) -> None:
        groups: dict[torch.dtype, list[nn.Parameter]] = {}
        for parameter in module.parameters():
            if parameter.requires_grad:
                groups.setdefault(parameter.dtype, []).append(parameter)
        self.groups = list(groups.values())
        self.parameters = [parameter for group in self.groups for parameter in group]
        self.vectors = [_flatten(group) for group in self.groups]
        self.gradients = [vector.grad for vector in self.vectors if vector.grad is not None]

    def zero_grad(self) -> None:
        """Set all gradients to zero in place."""
        torch._foreach_zero_(self.gradients)

    def gradient_norm(self) -> Tensor:
        """The norm of all gradients together."""
        return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in self.gradients]))

    def copy(self) -> list[Tensor]:
        """The present values."""
        return [vector.detach().clone() for vector in self.vectors]

    @torch.no_grad()
    def load(self, values: list[Tensor]) -> None:
        """Put values into the weights."""
        torch._foreach_copy_(list(self.vectors), values)

    def spans(self) -> dict[nn.Parameter, Span]:
        """The place of each parameter."""
        found = {}
        for number, group in enumerate(self.groups):
            start = 0
            for parameter in group:
                found[parameter] = Span(number, start, start + parameter.numel())
                start += parameter.numel()
        return found

    @torch.no_grad()
    def move(self, number: int, values: Tensor, gradient: Tensor) -> None:
        """Let the vector of this number, and its gradient, live in given storage from now on."""
        vector = self.vectors[number]
        vector.data, vector.grad = values, gradient
        self.gradients[number] = gradient
        _view(self.groups[number], vector)

    def release(self) -> None:
        """Take the views back and drop the gradients."""
        for parameter in self.parameters:
            parameter.data = parameter.data.clone()
            parameter.grad = None


def _flatten(parameters: list[nn.Parameter]) -> nn.Parameter:
    vector = nn.Parameter(torch.cat([parameter.detach().reshape(-1) for parameter in parameters]))
    vector.grad = torch.zeros_like(vector)
    _view(parameters, vector)
    return vector


def _view(parameters: list[nn.Parameter], vector: nn.Parameter) -> None:
    """Make these parameters, and their gradients, views of a vector."""
    gradient = vector.grad
    start = 0
    for parameter in parameters:
        stop = start + parameter.numel()
        parameter.data = vector.detach()[start:stop].view_as(parameter)
        parameter.grad = None if gradient is None else gradient[start:stop].view_as(parameter)
        start = stop
