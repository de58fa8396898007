"""What is asked of summary networks beyond what holds for every module."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..randomness import generator_for
from ._cases import Reading, cases, readings
from ._check import only, require

LEADS = ((), (7,), (3, 7))


def check_entries(config: Any) -> None:
    """Every entry of the input, pixel of an image included, has an effect on the output."""
    for case in readings(config):
        module, x = case.make(), case.inputs((3,))
        before, rank = module(x), len(case.event) - 1
        for place in torch.cartesian_prod(*map(torch.arange, x.shape[1 : 1 + rank])).reshape(-1, rank).tolist():
            index = (slice(None), *place)
            changes = [_changed(x, index, step) for step in (3.0, -3.0)]
            require(any(not torch.equal(module(y), before) for y in changes), f"{case}: entry {tuple(place)} has none")


@only(lambda config: any(_which(config, "permutation_invariant")))
def check_order_of_entries(config: Any) -> None:
    """With the capability `permutation_invariant` the order of the entries has no effect, in sets of any size."""
    for case in _having(config, "permutation_invariant"):
        module = case.make()
        for size in (1, 2, case.event[0], 11):
            x = _entries(case.event, (3,), size)
            for shuffled in (x.flip(1), x[:, torch.randperm(size, generator=generator_for(3))]):
                gap = float((module(shuffled) - module(x)).abs().max().detach())
                require(gap < 1e-5, f"{case}: {size} entries in another order change the output by {gap:.1e}")


@only(lambda config: any(_which(config, "masks")))
def check_full_mask(config: Any) -> None:
    """A mask of the shape `(*, N)` that leaves everything in changes nothing."""
    for case in _having(config, "masks"):
        module = case.make()
        for lead in LEADS:
            x = case.inputs(lead)
            got, expected = module(x, torch.ones(x.shape[:-1], dtype=torch.bool)), module(x)
            require(got.shape == expected.shape, f"{case}: expected {tuple(expected.shape)}, got {tuple(got.shape)}")
            require(_close(got, expected), f"{case}: it changes the output for leading axes {lead}")


@only(lambda config: any(_which(config, "masks")))
def check_padding(config: Any) -> None:
    """Masked entries have no effect whatever is there, not even on gradients: `x.masked_fill(...)` before all else."""
    for case in _having(config, "masks"):
        module, x, mask = case.make(), case.inputs((4,)), _mask(4, case.event[0])
        expected = _with_gradients(module, x.masked_fill(~mask[..., None], 0.0), mask)
        for value in (1e6, math.inf, math.nan):
            found = _with_gradients(module, x.masked_fill(~mask[..., None], value), mask)
            for name, got in found.items():
                require(torch.equal(got, expected[name]), f"{case}: a masked {value} changes {name}")


@only(lambda config: any(_which(config, "masks")))
def check_longer(config: Any) -> None:
    """Masked entries appended to the end change nothing, as if they were not there (in float64)."""
    for case in _having(config, "masks"):
        module, x = case.make().double(), case.inputs((4,), torch.float64)
        mask = torch.ones(x.shape[:2], dtype=torch.bool)
        for count in (1, 5):
            longer = torch.cat([x, x.new_ones(4, count, x.shape[-1])], 1)
            padded = torch.cat([mask, torch.zeros(4, count, dtype=torch.bool)], 1)
            gap = float((module(longer, padded) - module(x)).abs().max().detach())
            require(gap < 1e-6, f"{case}: {count} more entries change the output by {gap:.1e}")


@only(lambda config: any(_which(config, "masks")))
def check_empty(config: Any) -> None:
    """A row whose entries are all masked has a finite summary with finite gradients, and no effect on other rows."""
    for case in _having(config, "masks"):
        module, x, mask = case.make(), case.inputs((4,)), _mask(4, case.event[0])
        before = module(x, mask)
        mask[1] = False
        found = _with_gradients(module, x, mask)
        for name, value in found.items():
            require(value.isfinite().all(), f"{case}: {name} is not finite")
        got = found["the output"]
        require(_close(got[[0, 2, 3]], before[[0, 2, 3]]), f"{case}: it changes the other rows")


@only(lambda config: not all(_which(config, "masks")))
def check_mask_refused(config: Any) -> None:
    """A network without the capability `masks` raises when it is given a mask: leave `mask` out of `forward`."""
    for case in _having(config, "masks", False):
        module, x = case.make(), case.inputs((3,))
        try:
            module(x, mask=torch.ones(x.shape[:2], dtype=torch.bool))
        except Exception:
            continue
        raise AssertionError(f"{case}: a mask is accepted")


@only(lambda config: config.layout == "named")
def check_order_of_names(config: Any) -> None:
    """The order of the variables in the dict has no effect: take them by name."""
    for case in cases(config):
        module, given = case.make(), case.inputs((3,))
        turned = dict(reversed(given.items()))
        require(torch.equal(case.call(module, turned), case.call(module, given)), f"{case}: it changes the output")


def _which(config: Any, capability: str) -> list[bool]:
    """Of each variable, whether it is read with this capability."""
    return [capability in getattr(case.config, "capabilities", ()) for case in readings(config)]


def _having(config: Any, capability: str, has: bool = True) -> Iterator[Reading]:
    """The variables that are read with this capability, or without."""
    return (case for case in readings(config) if (capability in case.config.capabilities) is has)


def _changed(x: Tensor, index: Any, step: float) -> Tensor:
    changed = x.clone()
    changed[index] += step
    return changed


def _entries(target: tuple[int, ...], lead: tuple[int, ...], size: int) -> Tensor:
    """Another number of entries than the module was built for."""
    return torch.rand((*lead, size, *target[1:]), generator=generator_for(4))


def _mask(rows: int, size: int) -> Tensor:
    """Masks that leave one entry in, two, and so on, not only at the start."""
    kept = torch.arange(size).expand(rows, -1) <= torch.arange(rows)[:, None]
    return torch.stack([row.roll(i) for i, row in enumerate(kept)])


def _with_gradients(module: Any, x: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """The output and the gradient at each parameter."""
    module.zero_grad()
    got = module(x, mask)
    got.square().sum().backward()
    gradients = {
        f"the gradient of {name}": parameter.grad.clone()
        for name, parameter in module.named_parameters()
        if parameter.grad is not None
    }
    return {"the output": got.detach(), **gradients}


def _close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-6, atol=1e-6)


CHECKS = (
    check_entries,
    check_order_of_entries,
    check_full_mask,
    check_padding,
    check_longer,
    check_empty,
    check_mask_refused,
    check_order_of_names,
)
