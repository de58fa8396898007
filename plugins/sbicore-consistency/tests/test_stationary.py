"""The exact consistency function of two modes, where training of the continuous model must stand still.

In one dimension a probability flow keeps the order of values, and so leads from x at time t to the value below which
the data have as much mass as the noisy values have below x. Independent coordinates move independently.
"""

from __future__ import annotations

import math

import pytest
import torch
from sbicore_consistency import StableConsistencyModel
from torch import nn

from sbicore.shapes import Shapes
from sbicore.testing import TinySubnet

WEIGHTS, MEANS, DEVIATIONS = torch.tensor([[0.75, 0.25], [-0.6, 1.8], [0.3, 0.2]], dtype=torch.float64)
ROWS = 40_000


def spread(t):
    """Means and deviations of both modes at time t."""
    wide = t[..., None]
    return wide.cos() * MEANS, ((wide.cos() * DEVIATIONS).square() + wide.sin().square()).sqrt()


def below(x, means, deviations):
    return (WEIGHTS * torch.special.ndtr((x[..., None] - means) / deviations)).sum(-1)


def density(x):
    apart = (x[..., None] - MEANS) / DEVIATIONS
    return (WEIGHTS * (-apart.square() / 2).exp() / DEVIATIONS).sum(-1) / math.sqrt(2 * math.pi)


def solution(x, t):
    """By bisection, then one step of Newton, which has the right derivatives."""
    mass = below(x, *spread(t))
    with torch.no_grad():
        low, high = torch.full_like(x, -6.0), torch.full_like(x, 6.0)
        for _ in range(40):
            middle = (low + high) / 2
            short = below(middle, MEANS, DEVIATIONS) < mass
            low, high = torch.where(short, middle, low), torch.where(short, high, middle)
        found = (low + high) / 2
    return found + (mass - below(found, MEANS, DEVIATIONS)) / density(found)


def gradients(dimensions, moved):
    """Of the loss in the output of each row, `(B, D)`, with the points and times; f is off by `moved sin(t)`."""
    network = StableConsistencyModel(subnet=TinySubnet()).build(Shapes(target=(dimensions,))).double().train()
    network.step += 10**6
    shift, seen = nn.Parameter(torch.zeros((ROWS, dimensions), dtype=torch.float64)), []

    def exact(x, t, conditions=None, **drops):
        seen.extend((x.detach(), t.detach()))
        wide = t[:, None]
        return (wide.cos() * x - solution(x, wide.expand_as(x)) - moved * wide.sin()) / wide.sin() + shift

    network.backbone.forward = exact
    generator = torch.Generator().manual_seed(1)
    mode = (torch.rand((ROWS, dimensions), dtype=torch.float64, generator=generator) > WEIGHTS[0]).long()
    noise = torch.randn((ROWS, dimensions), dtype=torch.float64, generator=generator)
    targets = MEANS[mode] + DEVIATIONS[mode] * noise
    (found,) = torch.autograd.grad(network.loss(targets, None, generator=generator).sum(), shift)
    return found, *seen


def standings(dimensions, moved=0.0):
    """Mean gradients of the first output in thirty regions of time and place, in their standard errors."""
    found, x, t = gradients(dimensions, moved)
    times = torch.bucketize(t, torch.tensor([0.1, 0.4, 0.8, 1.2], dtype=torch.float64))
    standings = []
    for time in range(5):
        inside = times == time
        place, gradient = x[inside, 0], found[inside, 0]
        edges = torch.quantile(place, torch.tensor([0.1, 0.5, 0.7, 0.8, 0.9], dtype=torch.float64))
        region = torch.bucketize(place, edges)
        for part in (gradient[region == index] for index in range(6)):
            standings.append(float(part.mean() / part.std()) * len(part) ** 0.5)
    return torch.tensor(standings)


@pytest.mark.parametrize("dimensions", [1, 2, 10])
def test_training_stands_still_at_the_exact_solution_of_two_modes(dimensions):
    """Thirty means, within 4.5 standard errors, which chance exceeds once in 5,000 runs."""
    assert float(standings(dimensions).abs().max()) < 4.5


def test_training_moves_where_f_is_off():
    assert float(standings(1, moved=0.1).abs().max()) > 10
