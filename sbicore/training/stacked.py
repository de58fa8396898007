"""The losses of several alike modules in one pass: their weights lie in one matrix, a row each.

A pass over small networks is mostly overhead, which is then paid once. Whether a module can be run so is tried out:
two copies of all members take one batch, one after another and in one pass, and must agree.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, vmap

from .flat import FlatParameters
from .loop import mean_loss
from .sources import Batch

if TYPE_CHECKING:
    from .loop import Task

__all__ = ["SMALL", "Stacked", "is_small", "runs_stacked"]

SMALL = 150_000
"""Parameters of a member up to which one pass was measured to be faster than one after another."""
_TOLERANCE = 1e-4


class Stacked:
    """Members that run together.

    Args:
        tasks: one each, whose modules are alike; their weights become rows of matrices, where their gradients go, too.
        weights: of these modules, one each.
    """

    def __init__(self, tasks: Sequence[Task], weights: Sequence[FlatParameters]) -> None:
        self.loss_of = _Loss(tasks[0])
        self.leaves: dict[str, Tensor] = {}
        self.gradients: list[Tensor] = []
        spans = weights[0].spans()
        for group in range(len(weights[0].vectors)):
            values = torch.stack([member.vectors[group].detach() for member in weights])
            gradients = torch.zeros_like(values)
            for k, member in enumerate(weights):
                member.move(group, values[k], gradients[k])
            for name, parameter in tasks[0].module.named_parameters():
                place = spans.get(parameter)
                if place is not None and place.group == group:
                    columns = slice(place.start, place.stop)
                    leaf = values[:, columns].view(len(weights), *parameter.shape)
                    self.leaves[f"module.{name}"] = leaf.requires_grad_()
                    self.gradients.append(gradients[:, columns].view_as(leaf))
        self.others = {f"module.{name}": value for name, value in _stacked_rest(tasks).items()}

    def backward(self, batches: Sequence[Batch], generator: Generator) -> list[Tensor]:
        """The mean loss of each member on its batch, and its gradients in their place; all draw the same noise."""
        batch = {role: torch.stack([batch[role] for batch in batches]) for role in batches[0]}

        def loss(weights: dict[str, Tensor], rest: dict[str, Tensor], rows: Batch) -> Tensor:
            found: Tensor = functional_call(self.loss_of, (weights, rest), (rows, generator))
            return found

        each = vmap(loss, randomness="same")(self.leaves, self.others, batch)
        losses = [mean_loss(found, rows) for found, rows in zip(each, batches, strict=True)]
        leaves = list(self.leaves.values())
        found = torch.autograd.grad(torch.stack(losses).sum(), leaves, allow_unused=True)
        pairs = [(place, value) for place, value in zip(self.gradients, found, strict=True) if value is not None]
        torch._foreach_copy_([place for place, _ in pairs], [value for _, value in pairs])
        return [loss.detach() for loss in losses]


class _Loss(nn.Module):
    """The loss of a task as a forward pass."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.task, self.module = task, task.module

    def forward(self, batch: Batch, generator: Generator) -> Tensor:
        return self.task.loss(batch, generator)


def is_small(module: nn.Module) -> bool:
    """Whether one pass for several of these is faster."""
    return sum(parameter.numel() for parameter in module.parameters()) <= SMALL


def runs_stacked(tasks: Sequence[Task], batches: Sequence[Batch], seed: int) -> bool:
    """Whether these members have the same losses, gradients and buffers in one pass as one after another."""
    try:
        with warnings.catch_warnings(), torch.random.fork_rng():
            warnings.simplefilter("ignore")
            return _agree(_one_by_one(tasks, batches, seed), _at_once(tasks, batches, seed))
    except (RuntimeError, TypeError, ValueError, AttributeError, NotImplementedError):
        return False


def _one_by_one(tasks: Sequence[Task], batches: Sequence[Batch], seed: int) -> list[Tensor]:
    tasks, weights, generator = _copies(tasks, batches, seed)
    losses = []
    for task, batch in zip(tasks, batches, strict=True):
        torch.manual_seed(seed)
        loss = mean_loss(task.loss(batch, generator.clone_state()), batch)
        loss.backward()
        losses.append(loss.detach())
    return _outcome(tasks, weights, losses)


def _at_once(tasks: Sequence[Task], batches: Sequence[Batch], seed: int) -> list[Tensor]:
    tasks, weights, generator = _copies(tasks, batches, seed)
    stacked = Stacked(tasks, weights)
    torch.manual_seed(seed)
    return _outcome(tasks, weights, stacked.backward(batches, generator))


def _copies(
    tasks: Sequence[Task], batches: Sequence[Batch], seed: int
) -> tuple[list[Task], list[FlatParameters], Generator]:
    copies = copy.deepcopy([*tasks])
    device = next(iter(batches[0].values())).device
    return copies, [FlatParameters(task.module) for task in copies], Generator(device=device).manual_seed(seed)


def _outcome(tasks: Sequence[Task], weights: Sequence[FlatParameters], losses: Sequence[Tensor]) -> list[Tensor]:
    buffers = [buffer for task in tasks for buffer in task.module.buffers()]
    return [*losses, *(part for member in weights for part in member.gradients), *buffers]


def _agree(some: list[Tensor], others: list[Tensor]) -> bool:
    return all(_is_close(one.double(), other.double()) for one, other in zip(some, others, strict=True))


def _is_close(one: Tensor, other: Tensor) -> bool:
    scale = float(one.abs().max()) if one.numel() else 0.0
    return torch.allclose(one, other, rtol=_TOLERANCE, atol=_TOLERANCE * scale, equal_nan=True)


def _stacked_rest(tasks: Sequence[Task]) -> dict[str, Tensor]:
    """Buffers and weights that are not trained; buffers of the members become views of them."""
    found = {}
    for name, parameter in tasks[0].module.named_parameters():
        if not parameter.requires_grad:
            found[name] = torch.stack([task.module.get_parameter(name).detach() for task in tasks])
    for name, buffer in tasks[0].module.named_buffers():
        own: list[Any] = [task.module.get_buffer(name) for task in tasks]
        if all(other is buffer for other in own):
            continue
        found[name] = torch.stack(own)
        owner, _, last = name.rpartition(".")
        for k, task in enumerate(tasks):
            task.module.get_submodule(owner)._buffers[last] = found[name][k]
    return found
