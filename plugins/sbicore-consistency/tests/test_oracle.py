"""Both models with the exact consistency function of a known normal posterior, and tangents by finite differences.

The probability flow of x ~ N(m, s²) with noise sigma keeps the standard score, so that from `x + sigma e` it leads to
`m + s (x + sigma e - m) / sqrt(s² + sigma²)`; on the circle sigma is tan(t), and the value is divided by cos(t).
"""

from __future__ import annotations

import pytest
import torch
from sbicore_consistency import ConsistencyModel, StableConsistencyModel
from torch import nn

from sbicore.shapes import Shapes
from sbicore.testing import TinySubnet

MEAN, DEVIATION, EPS = 0.7, 0.4, 0.001
NETWORKS = {"trained in steps": ConsistencyModel, "continuous": StableConsistencyModel}


def solution(x, sigma, least=0.0):
    """Where the flow leads from noise `sigma` to noise `least`."""
    return MEAN + ((DEVIATION**2 + least**2) / (DEVIATION**2 + sigma**2)) ** 0.5 * (x - MEAN)


def exact(name):
    """A network whose backbone is replaced by what makes f exact."""
    network = NETWORKS[name](subnet=TinySubnet()).build(Shapes(target=(1,))).double()
    shift = nn.Parameter(torch.zeros((), dtype=torch.float64))
    network.backbone.shift = shift

    def stepwise(x, clock, conditions=None, **drops):
        t = (clock * torch.log(torch.tensor(80.0 / EPS, dtype=x.dtype))).exp() * EPS
        skip, out, scale, _ = network._scales(t)
        x = x / scale
        wide = t.reshape(*t.shape, 1)
        return (solution(x, wide, EPS) - skip * x) / out + shift

    def circular(x, t, conditions=None, **drops):
        t = t.reshape(*t.shape, 1)
        cos, sin = t.cos(), t.sin()
        gain = DEVIATION / (DEVIATION**2 * cos.square() + sin.square()).sqrt()
        return (cos * x - (MEAN + gain * (x - MEAN * cos))) / sin + shift

    network.backbone.forward = stepwise if name == "trained in steps" else circular
    return network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("steps", [1, 2, 8])
def test_draws_of_the_optimum_are_the_posterior_whatever_the_steps(name, steps):
    """40,000 draws: four standard errors of the mean are 0.02 deviations, of the deviation 1.4 %."""
    report = {}
    with torch.no_grad():
        draws = exact(name).sample(
            (2, 20_000), None, generator=torch.Generator().manual_seed(1), steps=steps, report=report
        )
    assert float(draws.mean()) == pytest.approx(MEAN, abs=0.025 * DEVIATION)
    assert float(draws.std()) == pytest.approx(DEVIATION, rel=0.02)
    assert report["evaluations"].tolist() == [steps] * 2


def levels(count, dimensions=1, rows=100_000, **hyperparameters):
    """Losses where f is the time itself, and the levels of the first of each pair of neighbours."""
    network = ConsistencyModel(subnet=TinySubnet(), **hyperparameters).build(Shapes(target=(dimensions,))).double()
    seen = []

    def clock(x, t, conditions, drops):
        seen.append(t)
        return t[:, None].expand(-1, dimensions)

    network._consistent, network.intervals = clock, lambda step: torch.tensor(float(count), dtype=torch.float64)
    losses = network.loss(torch.zeros(rows, dimensions).double(), None, generator=torch.Generator().manual_seed(1))
    return losses, *seen


def test_the_loss_is_the_pseudo_huber_norm_of_the_whole_vector_over_the_distance_in_time():
    """With a width that matters at short distances alone."""
    losses, before, after = levels(150, dimensions=4, huber_c=0.001)
    apart = after - before
    torch.testing.assert_close(losses, ((4 * apart**2 + 0.001**2).sqrt() - 0.001) / apart)
    assert float(losses.max()) == pytest.approx(2, abs=1e-3)


@pytest.mark.parametrize(("shape", "width"), [((1,), 0.3), ((9,), 0.1), ((3_072,), 0.00054 * 3_072**0.5)])
def test_the_width_of_the_loss_is_that_of_the_paper_for_images_alone(shape, width):
    network = ConsistencyModel(subnet=TinySubnet())
    assert network.build(Shapes(target=shape)).huber_c == pytest.approx(width)


def test_neighbours_are_levels_of_the_grid_with_the_probabilities_of_the_paper():
    """arXiv:2310.14189, section 3.5: differences of the error function; five standard errors of 100,000 rows."""
    count = 20
    _, before, after = levels(count)
    grid = torch.linspace(EPS ** (1 / 7), 80.0 ** (1 / 7), count + 1, dtype=torch.float64) ** 7
    index = torch.searchsorted(grid, before * (1 + 1e-9)) - 1
    torch.testing.assert_close(before, grid[index])
    torch.testing.assert_close(after, grid[index + 1])
    weight = torch.special.erf((grid.log() + 1.1) / (2**0.5 * 2.0)).diff()
    right = weight / weight.sum()
    found = torch.bincount(index, minlength=count) / len(index)
    assert ((found - right).abs() < 5 * (right / len(index)).sqrt() + 1e-6).all()


@pytest.mark.parametrize("subnet", ["time_mlp", {"name": "mlp", "widths": [16]}])
def test_tangents_are_those_of_finite_differences(subnet):
    """`cos(t) df/dt` along the path, with the minus sign of the descent."""
    torch.manual_seed(1)
    network = StableConsistencyModel(subnet=subnet).build(Shapes(target=(3,))).double().eval()
    nn.init.normal_(network.backbone.head.weight)
    data, noise = torch.randn((2, 5, 3), dtype=torch.float64)
    t = torch.linspace(0.1, 1.4, 5, dtype=torch.float64)

    def point(t):
        return t.cos()[:, None] * data + t.sin()[:, None] * noise

    def f(t):
        found = network.backbone(point(t), t)
        return t.cos()[:, None] * point(t) - t.sin()[:, None] * found

    along = t.cos()[:, None] * noise - t.sin()[:, None] * data
    with torch.no_grad():
        _, tangent, _ = network.tangent(point(t), along, t, None, {}, torch.ones_like(along))
        h = 1e-5
        slope = (f(t + h) - f(t - h)) / (2 * h)
    torch.testing.assert_close(tangent, t.cos()[:, None] * slope, rtol=1e-6, atol=1e-7)


def test_the_size_of_a_tangent_is_that_along_a_direction_of_the_noise():
    """Mean squares over all probes of signs against 20,000 directions, within five standard errors."""
    torch.manual_seed(1)
    network = StableConsistencyModel(subnet="time_mlp", subnet_kwargs={"widths": [32, 32]}, sigma=0.8)
    network = network.build(Shapes(target=(3,))).double().eval()
    nn.init.normal_(network.backbone.head.weight, std=0.1)
    x, t = torch.randn(3, dtype=torch.float64), torch.tensor(0.6, dtype=torch.float64)

    def tangents(along, probes):
        rows = len(probes)
        return network.tangent(x.expand(rows, 3), along, t.expand(rows), None, {}, probes, 0.7)

    probes = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0], dtype=torch.float64)] * 3)
    _, _, sizes = tangents(torch.zeros_like(probes), probes)
    directions = 0.8 * torch.randn((20_000, 3), dtype=torch.float64)
    _, found, _ = tangents(directions, torch.ones_like(directions))
    squares = found.detach().square().sum(1)
    assert abs(float(sizes.square().mean() - squares.mean())) < 5 * float(squares.std()) / 20_000**0.5


def test_f_leaves_data_alone_where_there_is_no_noise():
    x = torch.randn(4, 2)
    steps = ConsistencyModel(subnet=TinySubnet()).build(Shapes(target=(2,)))
    torch.testing.assert_close(steps.denoised(x, torch.full((1,), EPS), None, 1.0), x)
    circle = StableConsistencyModel(subnet=TinySubnet()).build(Shapes(target=(2,)))
    torch.testing.assert_close(circle.denoised(x, torch.zeros(1), None, 1.0), x)
