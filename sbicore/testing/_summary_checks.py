"""What is asked of summary networks beyond what holds for every module."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ..randomness import generator_for
from ._cases import cases
from ._check import only, require

LEADS = ((), (7,), (3, 7))


def check_entries(config: Any) -> None:
    """Every entry of the input, pixel of an image included, has an effect on the output."""
    for case in cases(config):
        module, x = case.make(), case.inputs((3,))["x"]
        before, rank = module(x), len(case.shapes.target) - 1
        for place in torch.cartesian_prod(*map(torch.arange, x.shape[1 : 1 + rank])).reshape(-1, rank).tolist():
            index = (slice(None), *place)
            changes = [_changed(x, index, step) for step in (3.0, -3.0)]
            require(any(not torch.equal(module(y), before) for y in changes), f"{case}: entry {tuple(place)} has none")


@only(lambda config: "permutation_invariant" in config.capabilities)
def check_order_of_entries(config: Any) -> None:
    """With the capability `permutation_invariant` the order of the entries has no effect, in sets of any size."""
    for case in cases(config):
        module = case.make()
        for size in (1, 2, case.shapes.target[0], 11):
            x = _entries(case.shapes.target, (3,), size)
            for shuffled in (x.flip(1), x[:, torch.randperm(size, generator=generator_for(3))]):
                gap = float((module(shuffled) - module(x)).abs().max().detach())
                require(gap < 1e-5, f"{case}: {size} entries in another order change the output by {gap:.1e}")


@only(lambda config: "masks" in config.capabilities)
def check_full_mask(config: Any) -> None:
    """A mask of the shape `(*, N)` that leaves everything in changes nothing."""
    for case in cases(config):
        module = case.make()
        for lead in LEADS:
            x = case.inputs(lead)["x"]
            got, expected = module(x, torch.ones(x.shape[:-1], dtype=torch.bool)), module(x)
            require(got.shape == expected.shape, f"{case}: expected {tuple(expected.shape)}, got {tuple(got.shape)}")
            require(_close(got, expected), f"{case}: it changes the output for leading axes {lead}")


@only(lambda config: "masks" in config.capabilities)
def check_padding(config: Any) -> None:
    """Masked entries have no effect whatever is there, not even on gradients: `x.masked_fill(...)` before all else."""
    for case in cases(config):
        module, x, mask = case.make(), case.inputs((4,))["x"], _mask(4, case.shapes.target[0])
        expected = _with_gradients(module, x.masked_fill(~mask[..., None], 0.0), mask)
        for value in (1e6, math.inf, math.nan):
            found = _with_gradients(module, x.masked_fill(~mask[..., None], value), mask)
            for name, got in found.items():
                require(torch.equal(got, expected[name]), f"{case}: a masked {value} changes {name}")


@only(lambda config: "masks" in config.capabilities)
def check_longer(config: Any) -> None:
    """Masked entries appended to the end change nothing, as if they were not there (in float64)."""
    for case in cases(config):
        module, x = case.make().double(), case.inputs((4,), torch.float64)["x"]
        mask = torch.ones(x.shape[:2], dtype=torch.bool)
        for count in (1, 5):
            longer = torch.cat([x, x.new_ones(4, count, x.shape[-1])], 1)
            padded = torch.cat([mask, torch.zeros(4, count, dtype=torch.bool)], 1)
            gap = float((module(longer, padded) - module(x)).abs().max().detach())
            require(gap < 1e-6, f"{case}: {count} more entries change the output by {gap:.1e}")


@only(lambda config: "masks" in config.capabilities)
def check_empty(config: Any) -> None:
    """A row whose entries are all masked has a finite summary with finite gradients, and no effect on other rows."""
    for case in cases(config):
        module, x, mask = case.make(), case.inputs((4,))["x"], _mask(4, case.shapes.target[0])
        before = module(x, mask)
        mask[1] = False
        found = _with_gradients(module, x, mask)
        for name, value in found.items():
            require(value.isfinite().all(), f"{case}: {name} is not finite")
        got = found["the output"]
        require(_close(got[[0, 2, 3]], before[[0, 2, 3]]), f"{case}: it changes the other rows")


@only(lambda config: "masks" not in config.capabilities)
def check_mask_refused(config: Any) -> None:
    """A network without the capability `masks` raises when it is given a mask: leave `mask` out of `forward`."""
    for case in cases(config):
        module, x = case.make(), case.inputs((3,))["x"]
        try:
            module(x, mask=torch.ones(x.shape[:2], dtype=torch.bool))
        except Exception:
            continue
        raise AssertionError(f"{case}: a mask is accepted")


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
)
