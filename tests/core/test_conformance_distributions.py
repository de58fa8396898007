"""The checks of distributions and simulators pass what conforms and catch each way to be wrong."""

from __future__ import annotations

import math
import re
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

from sbicore.config import DistributionConfig, SimulatorConfig, frozen
from sbicore.distributions import Normal, StudentT
from sbicore.errors import ConfigError
from sbicore.randomness import generator_for, rand
from sbicore.testing import check_component


class Laplace(nn.Module):
    """Independent Laplace coordinates around a learnt centre; broken ones differ in one thing."""

    def __init__(self, size):
        super().__init__()
        self.loc = nn.Parameter(torch.full((size,), 0.3))

    def sample(self, shape, *, generator=None, like=None):
        u = rand(shape, generator, self.loc.detach() if like is None else like) - 0.5
        return self.loc.to(u) - u.sign() * torch.log1p(-2 * u.abs() * (1 - 1e-7))

    def log_prob(self, x):
        return (-(x - self.loc.to(x)).abs() - math.log(2)).sum(-1)


@frozen(kw_only=True)
class Toy(DistributionConfig):
    """A distribution."""

    name: ClassVar[str] = "toy"
    module: ClassVar[Any] = Laplace

    def build(self, shapes=None):
        return self.module(shapes.target[0])


def config_of(module):
    return frozen(kw_only=True)(type("Toy", (Toy,), {"module": module, "__doc__": "A distribution."}))()


def mutant(**members):
    return config_of(type("Mutant", (Laplace,), members))


def drawn(change):
    """Draws with something done to them."""
    return lambda self, *args, **kwargs: change(Laplace.sample(self, *args, **kwargs))


def valued(change):
    """Log densities with something done to them."""
    return lambda self, x: change(Laplace.log_prob(self, x))


class Idle(Laplace):
    def __init__(self, size):
        super().__init__(size)
        self.scale = nn.Parameter(torch.ones(size))


class Sharp(Laplace):
    """The gradient at the centre is not a number, though the density is right."""

    def log_prob(self, x):
        return super().log_prob(x) + 0 * (x - x).square().sum(-1).sqrt()


class Refuses(Laplace):
    def __init__(self, size):
        raise ConfigError("never")


class Independent:
    """Draws whose coordinates are independent t variables, with the density of a multivariate t."""

    def __init__(self, size):
        self.shared = StudentT(df=3).build()

    def sample(self, shape, *, generator=None, like=None):
        return self.shared.sample((*shape, 1), generator=generator, like=like)[..., 0]

    def log_prob(self, x):
        return self.shared.log_prob(x)


BROKEN = {
    "fits nothing": (config_of(Refuses), "check_methods", "it fits no event of 3 or 2 or 1 numbers"),
    "no density": (config_of(lambda self, size: nn.Identity()), "check_methods", "Identity has no log_prob, sample"),
    "draws of another shape": (
        mutant(sample=drawn(lambda x: x[..., :-1])),
        "check_draws",
        r"expected \(3,\), got \(2,\)",
    ),
    "draws in float32": (
        mutant(sample=drawn(lambda x: x.float())),
        "check_draws",
        "like=torch.float64 gives torch.float32",
    ),
    "draws not finite": (mutant(sample=drawn(lambda x: x / 0)), "check_draws", "draws are not finite"),
    "noise of its own": (
        mutant(sample=lambda self, shape, *, generator=None, like=None: Laplace.sample(self, shape, like=like)),
        "check_generators",
        "the same generator gives other draws",
    ),
    "noise shared by rows": (
        mutant(sample=drawn(lambda x: x + x.sum())),
        "check_generators",
        "a row depends on its neighbours",
    ),
    "one generator for all rows": (
        mutant(sample=drawn(lambda x: x[:1].expand_as(x))),
        "check_generators",
        "rows of different generators are alike",
    ),
    "a density of coordinates": (
        mutant(log_prob=lambda self, x: -(x - self.loc.to(x)).abs()),
        "check_log_prob",
        r"expected \(\), got \(3,\)",
    ),
    "density in float32": (
        mutant(log_prob=valued(lambda v: v.float())),
        "check_log_prob",
        "float64 gives torch.float32",
    ),
    "density mixes rows": (
        mutant(log_prob=valued(lambda v: v + v.mean())),
        "check_log_prob",
        "depends on its neighbours",
    ),
    "looks at values": (
        mutant(log_prob=valued(lambda v: v + 0 * v.max().item())),
        "check_device",
        "log_prob: on the device meta",
    ),
    "another shape with a generator each": (
        mutant(sample=drawn(lambda x: x.flatten(0, -2) if x.ndim > 2 else x)),
        "check_generators",
        r"expected \(3, 50, 3\), got \(150, 3\)",
    ),
    "draws for ever the same": (
        mutant(sample=lambda self, shape, **options: Laplace.sample(self, shape, generator=generator_for(1))),
        "check_generators",
        "another generator gives the same draws",
    ),
    "density not finite": (mutant(log_prob=valued(lambda v: v / 0)), "check_log_prob", "it is not finite at draws"),
    "values on the cpu": (
        mutant(sample=drawn(lambda x: torch.ones(x.shape))),
        "check_device",
        "sample: numbers on meta give cpu",
    ),
    "idle parameter": (config_of(Idle), "check_gradients", "none reaches scale"),
    "gradient not a number": (config_of(Sharp), "check_gradients", "at x it is not finite"),
    "another height": (mutant(log_prob=valued(lambda v: v + 0.1)), "check_density", r"integrates to 1\.105"),
    "draws too wide": (
        mutant(sample=drawn(lambda x: 1.1 * x)),
        "check_density",
        "share of draws below a point is off by",
    ),
    "another height in pairs": (
        mutant(log_prob=lambda self, x: Laplace.log_prob(self, x) + 0.1 * (x.shape[-1] - 1)),
        "check_density_of_pairs",
        r"in two dimensions the density integrates to 1\.1",
    ),
    "dependent draws": (
        mutant(sample=drawn(lambda x: torch.cat([x[..., :1], -x[..., :1]], -1) if x.shape[-1] == 2 else x)),
        "check_density_of_pairs",
        "differ by .* in the mean of tanh",
    ),
    "tails of one, density of the other": (
        config_of(Independent),
        "check_density_of_pairs",
        "draws and density differ",
    ),
}


def test_sound_ones_pass():
    check_component(config_of(Laplace))
    check_component(Normal(mean=[1.0, -2.0], std=0.1, trainable=True))


@pytest.mark.parametrize(("config", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_ones_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_what_fits_pairs_alone_is_not_looked_at_in_one_dimension(verdict):
    config = Normal(mean=[1.0, -2.0])
    result = verdict(config, "check_density")
    assert (result.status, result.found) == ("skipped", "it fits no event of 1 numbers")
    assert verdict(config, "check_density_of_pairs").status == "passed"


class Coins:
    """A simulator; broken ones differ in one thing."""

    def sample(self, n, *, seed=None):
        rng = np.random.default_rng(seed)
        theta = rng.uniform(size=(n, 2))
        return {"theta": theta, "x": rng.normal(theta).astype(np.float32)}


@frozen(kw_only=True)
class ToySimulator(SimulatorConfig):
    """A simulator."""

    name: ClassVar[str] = "coins"
    simulator: ClassVar[Any] = Coins

    def build(self):
        return self.simulator()


def simulator(sample=None):
    members = {"simulator": type("Mutant", (Coins,), {"sample": sample} if sample else {}), "__doc__": "A simulator."}
    return frozen(kw_only=True)(type("Toy", (ToySimulator,), members))()


def made(change):
    """Data with something done to them."""
    return simulator(lambda self, n, *, seed=None: change(Coins.sample(self, n, seed=seed)))


def on_each(change):
    return made(lambda data: {name: change(value) for name, value in data.items()})


def global_seed(self, n, *, seed=None):
    np.random.seed(seed)
    return {"x": np.random.normal(size=(n, 1))}


WILD = {
    "one row too many": (
        simulator(lambda self, n, *, seed=None: Coins.sample(self, n + 1, seed=seed)),
        "check_arrays",
        r"1 rows were asked for, theta has shape \(2, 2\)",
    ),
    "no variables": (made(lambda data: {}), "check_arrays", "expected a dict of arrays, got dict"),
    "not a dict": (made(lambda data: data["x"]), "check_arrays", "expected a dict of arrays, got ndarray"),
    "lists": (on_each(np.ndarray.tolist), "check_arrays", "'theta' holds list"),
    "whole numbers": (on_each(lambda value: value.astype(int)), "check_arrays", "theta is int64"),
    "not finite": (on_each(lambda value: value / 0), "check_arrays", "theta is not finite"),
    "one row is a scalar": (
        on_each(lambda value: value[:, 0] if len(value) == 1 else value),
        "check_arrays",
        "events are .* for one row",
    ),
    "no seed": (
        simulator(lambda self, n, *, seed=None: Coins.sample(self, n)),
        "check_seed",
        "the same seed gives another",
    ),
    "one seed": (
        simulator(lambda self, n, *, seed=None: Coins.sample(self, n, seed=7)),
        "check_seed",
        "another seed gives",
    ),
    "seeded by default": (
        simulator(lambda self, n, *, seed=None: Coins.sample(self, n, seed=seed or 7)),
        "check_seed",
        "without a seed every call gives the same",
    ),
    "one draw for all rows": (
        on_each(lambda value: np.repeat(value[:1], len(value), 0)),
        "check_rows",
        "all rows are alike",
    ),
    "global generator": (simulator(global_seed), "check_global_state", "a call changes its state"),
}


def test_a_sound_simulator_passes():
    check_component(simulator())


@pytest.mark.filterwarnings("ignore:divide by zero:RuntimeWarning", "ignore:invalid value:RuntimeWarning")
@pytest.mark.parametrize(("config", "check", "found"), WILD.values(), ids=WILD)
def test_broken_simulators_are_caught(config, check, found, verdict):
    result = verdict(config, check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found
