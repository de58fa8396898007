"""The checks of summary networks pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.shapes import Shapes, SummaryInput
from sbicore.testing import check_component

WIDTH = 8


class DeepSet(nn.Module):
    """The mean of features over the entries that are there; broken ones differ in one thing."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or WIDTH
        self.entry = nn.Sequential(nn.Linear(shapes.target[-1], WIDTH), nn.Tanh())
        self.out = nn.Linear(WIDTH, self.out_features)

    def forward(self, x, mask=None):
        if mask is None:
            mask = torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)
        mask = mask.unsqueeze(-1)
        return self.out(self.pooled(self.cleaned(x, mask), mask))

    def cleaned(self, x, mask):
        return x.masked_fill(~mask, 0.0)

    def pooled(self, x, mask):
        return self.entry(x).masked_fill(~mask, 0.0).sum(-2) / mask.sum(-2).clamp(min=1)


class Recurrent(nn.Module):
    """A series without masks."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or WIDTH
        self.step = nn.Linear(shapes.target[-1] + self.out_features, self.out_features)

    def forward(self, x):
        state = x.new_zeros(*x.shape[:-2], self.out_features)
        for entry in x.unbind(-2):
            state = self.step(torch.cat([entry, state], -1)).tanh()
        return state


class Picture(nn.Module):
    """One layer on all pixels."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or WIDTH
        size = shapes.target[0] * shapes.target[1] * shapes.target[2]
        self.out = nn.Linear(size, self.out_features)

    def forward(self, x):
        return self.out(x.flatten(-3)).tanh()


class Named(nn.Module):
    """Two sets by name, each with its own features."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or WIDTH
        self.parts = nn.ModuleDict({name: DeepSet(Shapes(target=event)) for name, event in shapes.inputs.items()})
        self.out = nn.Linear(WIDTH * len(self.parts), self.out_features)

    def forward(self, x, mask=None):
        return self.out(torch.cat([self.parts[name](x[name], (mask or {}).get(name)) for name in self.order(x)], -1))

    def order(self, x):
        return list(self.parts)


@frozen(kw_only=True)
class Toy(SummaryNetworkConfig):
    """A summary network."""

    name: ClassVar[str] = "toy"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks", "permutation_invariant"})
    module: ClassVar[Any] = DeepSet

    def build(self, shapes):
        return self.module(shapes)


def config_of(module, **facts):
    return frozen(kw_only=True)(type("Toy", (Toy,), {"module": module, "__doc__": "A summary network.", **facts}))()


def bare(module, **facts):
    return config_of(module, **{"capabilities": frozenset(), **facts})


def named(module):
    sets = {name: SummaryInput("set", {"masks", "permutation_invariant"}) for name in ("x", "y")}
    return bare(module, layout="named", inputs=sets)


def mutant(base=DeepSet, **members):
    return config_of(type("Mutant", (base,), members))


def mean_of_all(self, x, mask):
    return self.entry(x).mean(-2)


def mean_over_all(self, x, mask):
    return self.entry(x).masked_fill(~mask, 0.0).mean(-2)


def without_clamp(self, x, mask):
    return self.entry(x).masked_fill(~mask, 0.0).sum(-2) / mask.sum(-2)


def largest(self, x, mask):
    return self.entry(x).amax(-2)


def by_place(self, x, mask):
    place = 1 + torch.arange(x.shape[-2], device=x.device).to(x)[:, None]
    return DeepSet.pooled(self, x * place / 10, mask)


def without_the_last(self, x, mask):
    return DeepSet.pooled(self, x[..., :-1, :], mask[..., :-1, :]) + 0 * x.sum(-2)[..., :1]


def upside_down(self, x, mask):
    return DeepSet.cleaned(self, x, ~mask) if not mask.all() else x


class ByBatch(DeepSet):
    """Empty rows take the mean of the others."""

    def pooled(self, x, mask):
        there = mask.any(-2)
        pooled = super().pooled(x, mask)
        others = (pooled * there).sum(0, keepdim=True) / there.sum(0, keepdim=True).clamp(min=1)
        return torch.where(there, pooled + (0 if there.all() else 0.1 * others), others)


class Ignores(Recurrent):
    def forward(self, x, mask=None):
        return super().forward(x)


class Center(Picture):
    def forward(self, x):
        edge = torch.zeros_like(x)
        edge[..., 1:-1, 1:-1, :] = x[..., 1:-1, 1:-1, :]
        return super().forward(edge)


BROKEN = {
    "by place in the dict": (
        named(type("Mutant", (Named,), {"order": lambda self, x: list(x)})),
        "check_order_of_names",
        "it changes the output",
    ),
    "unknown layout": (config_of(DeepSet, layout="graph"), "check_facts", "layout is 'graph'"),
    "masks for images": (config_of(Picture, layout="image"), "check_facts", "an? image network cannot have masks"),
    "unknown capability": (
        config_of(DeepSet, capabilities=frozenset({"mask"})),
        "check_facts",
        "a set network cannot have mask$",
    ),
    "an entry left out": (mutant(pooled=without_the_last), "check_entries", r"entry \(5,\) has none"),
    "pixels left out": (bare(Center, layout="image"), "check_entries", r"entry \(0, 0\) has none"),
    "by place": (mutant(pooled=by_place), "check_order_of_entries", "2 entries in another order change the output"),
    "one size alone": (
        config_of(type("Mutant", (Picture,), {"forward": lambda self, x, mask=None: self.out(x.flatten(-2))})),
        "check_order_of_entries",
        "",
    ),
    "padding in the mean": (
        mutant(pooled=mean_of_all, cleaned=lambda self, x, mask: x),
        "check_padding",
        "a masked 1000000.0 changes the output",
    ),
    "largest without the mask": (
        mutant(pooled=largest, cleaned=lambda self, x, mask: x),
        "check_padding",
        "a masked 1000000.0 changes the output",
    ),
    "masked by a product": (
        mutant(cleaned=lambda self, x, mask: x * mask),
        "check_padding",
        "a masked (inf|nan) changes the",
    ),
    "masked after the first layer": (
        mutant(cleaned=lambda self, x, mask: x),
        "check_padding",
        "a masked (1000000.0|inf|nan) changes the gradient of entry.0.weight",
    ),
    "count of all entries": (mutant(pooled=mean_over_all), "check_longer", "1 more entries change the output"),
    "mask upside down": (mutant(cleaned=upside_down), "check_padding", "a masked inf changes the"),
    "another shape with a mask": (
        mutant(forward=lambda self, x, mask=None: DeepSet.forward(self, x, mask)[None if mask is not None else ...]),
        "check_full_mask",
        r"expected \(8,\), got \(1, 8\)",
    ),
    "full mask counts": (
        mutant(forward=lambda self, x, mask=None: DeepSet.forward(self, x, mask) + (0 if mask is None else 0.1)),
        "check_full_mask",
        "it changes the output",
    ),
    "one mask for the batch": (
        mutant(cleaned=lambda self, x, mask: x.masked_fill(~mask.reshape(-1, mask.shape[-2], 1), 0.0)),
        "check_full_mask",
        "",
    ),
    "division by zero": (mutant(pooled=without_clamp), "check_empty", "the output is not finite"),
    "empty rows are felt": (config_of(ByBatch), "check_empty", "it changes the other rows"),
    "mask ignored": (bare(Ignores, layout="series"), "check_mask_refused", "a mask is accepted"),
    "rows mixed": (
        mutant(pooled=lambda self, x, mask: DeepSet.pooled(self, x - x.mean(0), mask)),
        "check_rows",
        "a row alone gives other numbers",
    ),
}


@pytest.mark.parametrize(
    "config",
    [
        config_of(DeepSet),
        config_of(DeepSet, layout="series"),
        bare(Recurrent, layout="series"),
        bare(Picture, layout="image"),
        named(Named),
    ],
    ids=["set", "masked series", "series", "image", "named"],
)
def test_sound_ones_pass(config):
    check_component(config)


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found
