"""What is special about coupling flows: inverses, determinants, the start, permutations, the first batch."""

from __future__ import annotations

import copy

import pytest
import torch
from sbicore_coupling_flow import CouplingFlow
from sbicore_coupling_flow.affine import Affine
from sbicore_coupling_flow.spline import Spline
from sbicore_coupling_flow.transform_options import AffineOptions, SplineOptions

from sbicore.errors import ConfigError, ShapeError, UnknownHyperparameterError
from sbicore.shapes import Shapes

TRANSFORMS = {
    "affine": {"transform": "affine"},
    "exponential": {"transform": "affine", "transform_kwargs": {"clamp": False}},
    "spline": {"transform": "spline"},
    "small spline": {"transform": "spline", "transform_kwargs": {"bins": 4, "default_domain": [-2, 3, -2, 3]}},
}
PERMUTATIONS = ("random", "swap", "orthogonal", None)


def flow(size=3, conditions=2, *, shake=0.02, seed=1, **options):
    """A flow in float64 whose weights are moved off their start."""
    torch.manual_seed(seed)
    given = None if conditions is None else (conditions,)
    network = CouplingFlow(subnet_kwargs={"widths": [16]}, **options).build(Shapes(target=(size,), conditions=given))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += shake * torch.randn_like(parameter)
    return network.double().eval()


def forth(network, x, c):
    """Through all layers, with the log determinant."""
    total = 0.0
    for layer in network.flow.layers:
        x, log_det = layer(x, c)
        total = total + log_det
    return x, total


def back(network, z, c):
    for layer in reversed(network.flow.layers):
        z = layer.inverse(z, c)
    return z


@pytest.mark.parametrize("permutation", PERMUTATIONS)
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("size", [1, 2, 5])
@torch.no_grad()
def test_the_inverse_undoes_the_map(transform, permutation, size):
    """Of six layers; weights farther off their start stretch space so much that float32 has no digits left."""
    network = flow(size, permutation=permutation, **TRANSFORMS[transform])
    x, c = 3 * torch.randn(200, size, dtype=torch.float64), torch.randn(200, 2, dtype=torch.float64)
    z, _ = forth(network, x, c)
    assert float((back(network, z, c) - x).abs().max()) < 1e-9
    network = network.float()
    x, c = x.float(), c.float()
    z, _ = forth(network, x, c)
    assert float(((back(network, z, c) - x).abs() / (1 + x.abs())).max()) < 1e-4


@pytest.mark.parametrize("permutation", PERMUTATIONS)
@pytest.mark.parametrize("transform", TRANSFORMS)
def test_the_log_determinant_is_that_of_the_jacobian(transform, permutation):
    network = flow(3, permutation=permutation, **TRANSFORMS[transform])
    x, c = 2 * torch.randn(6, 3, dtype=torch.float64), torch.randn(6, 2, dtype=torch.float64)
    _, found = forth(network, x, c)
    for i in range(len(x)):
        jacobian = torch.autograd.functional.jacobian(lambda row, i=i: forth(network, row, c[i])[0], x[i])
        assert float(found[i].detach()) == pytest.approx(float(torch.linalg.slogdet(jacobian)[1]), abs=1e-8)


@pytest.mark.parametrize("transform", TRANSFORMS)
@torch.no_grad()
def test_couplings_start_as_the_identity(transform):
    network = flow(4, shake=0.0, permutation=None, **TRANSFORMS[transform])
    x = 3 * torch.randn(50, 4, dtype=torch.float64)
    z, log_det = forth(network, x, torch.randn(50, 2, dtype=torch.float64))
    torch.testing.assert_close(z, x)
    torch.testing.assert_close(log_det, torch.zeros(50, dtype=torch.float64))


@pytest.mark.parametrize("spline", [SplineOptions(), SplineOptions(bins=4, default_domain=(-2, 1, -1, 4))])
@torch.no_grad()
def test_the_inverse_of_a_spline_undoes_it_at_any_parameters(spline):
    """A rounding error in y is one in x divided by the slope."""
    spline = Spline(spline)
    raw = 3 * torch.randn(2_000, 4, spline.size, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x = 4 * torch.randn(2_000, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    y, log_derivative = spline.forward(x, raw)
    error = (spline.inverse(y, raw) - x).abs() * log_derivative.exp().clamp(max=1)
    assert float(error.max()) < 1e-11


@torch.no_grad()
def test_a_spline_starts_on_its_default_domain():
    spline = Spline(SplineOptions(default_domain=(-1, 3, 0, 5)))
    curve = spline._curve(torch.zeros(spline.size))
    torch.testing.assert_close(curve.knots[:, 0], torch.tensor([-1.0, 0.0]))
    torch.testing.assert_close(curve.knots[:, -1], torch.tensor([3.0, 5.0]))


@torch.no_grad()
def test_a_spline_is_smooth_and_increasing_across_its_domain():
    """Differences at the ends of the domain, of bins and far outside; the slope is that of autograd everywhere."""
    spline = Spline(SplineOptions(bins=5))
    raw = torch.randn(20, 1, spline.size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    knots = spline._curve(raw).knots[..., 0, :].squeeze(1)
    for knot in knots.T:
        before, after = (spline.forward((knot + step)[:, None], raw) for step in (-1e-9, 1e-9))
        torch.testing.assert_close(before[0], after[0], atol=1e-7, rtol=0)
        torch.testing.assert_close(before[1], after[1], atol=1e-6, rtol=0)
    grid = torch.linspace(-30, 30, 2_001, dtype=torch.float64)[:, None, None]
    values, _ = spline.forward(grid, raw)
    assert bool((values.diff(dim=0) > 0).all())


@pytest.mark.parametrize("transform", [Affine(AffineOptions()), Spline(SplineOptions())])
@torch.no_grad()
def test_transforms_stay_finite_far_out(transform):
    raw = torch.randn(100, 3, transform.size) * 30
    for x in (torch.full((100, 3), 1e6), torch.full((100, 3), -1e6), torch.zeros(100, 3)):
        z, log_derivative = transform.forward(x, raw)
        assert bool(z.isfinite().all() and log_derivative.isfinite().all())
        assert bool(transform.inverse(z, raw).isfinite().all())


def test_gradients_stay_finite_far_out():
    spline = Spline(SplineOptions())
    raw = (torch.randn(100, 3, spline.size) * 10).requires_grad_()
    for x in (1e4, -1e4, 0.0):
        z, log_derivative = spline.forward(torch.full((100, 3), x), raw)
        (gradient,) = torch.autograd.grad((z.tanh() + log_derivative).sum(), raw)
        assert bool(gradient.isfinite().all())


def test_an_orthogonal_permutation_stays_orthogonal():
    network = flow(6, permutation="orthogonal", shake=0.0)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    x, c = torch.randn(64, 6, dtype=torch.float64) @ torch.randn(6, 6, dtype=torch.float64), torch.zeros(64, 2).double()
    rotations = [layer for layer in network.flow.layers if hasattr(layer, "matrix")]
    start = rotations[0].matrix.detach().clone()
    for _ in range(20):
        optimizer.zero_grad()
        network.loss(x, c).mean().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    for rotation in rotations:
        torch.testing.assert_close(rotation.matrix @ rotation.matrix.T, torch.eye(6, dtype=torch.float64))
    assert float((rotations[0].matrix.detach() - start).abs().max()) > 1e-3


def test_permutations_move_what_they_say():
    order = flow(5, permutation="swap").flow.layers[1].order
    assert order.tolist() == [2, 3, 4, 0, 1]
    random = flow(50, permutation="random").flow.layers[1].order
    assert sorted(random.tolist()) == list(range(50)) != random.tolist()
    assert len(flow(5, permutation=None).flow.layers) == len(flow(5).flow.layers) - 6


def test_actnorm_is_set_by_the_first_batch_and_by_it_alone():
    network = flow(3, shake=0.0, permutation="orthogonal", depth=2).train()
    x = 5 + 3 * torch.randn(100, 3, dtype=torch.float64)
    c = torch.randn(100, 2, dtype=torch.float64)
    network.loss(x, c)
    z, _ = network.flow.layers[0](x)
    torch.testing.assert_close(z.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-9, rtol=0)
    torch.testing.assert_close(z.std(0, correction=0), torch.ones(3, dtype=torch.float64))
    kept = copy.deepcopy(network.state_dict())
    network.loss(7 * x - 3, c)
    for name, value in network.state_dict().items():
        assert torch.equal(value, kept[name]), name


def test_actnorm_is_not_set_again_after_loading():
    network = flow(3, shake=0.0).train()
    network.loss(torch.randn(50, 3).double(), torch.randn(50, 2).double())
    other = flow(3, shake=0.0, seed=2).train()
    other.load_state_dict(network.state_dict())
    other.loss(9 + torch.randn(50, 3).double(), torch.randn(50, 2).double())
    assert torch.equal(other.flow.layers[0].shift, network.flow.layers[0].shift)


@pytest.mark.parametrize("rows", [torch.zeros(1, 3), torch.ones(20, 3), torch.full((4, 3), torch.nan)])
def test_actnorm_survives_batches_without_spread(rows):
    network = flow(3, shake=0.0).train()
    network.loss(rows.double(), torch.zeros(len(rows), 2).double())
    network.eval()
    density = network.log_prob(torch.zeros(1, 5, 3).double(), torch.zeros(1, 1, 2).double())
    assert bool(density.isfinite().all())


def test_a_fit_reads_nothing_back_from_the_device_after_the_first_batch():
    class Watch(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            assert "_local_scalar_dense" not in str(function)
            return function(*args, **(kwargs or {}))

    network = flow(3, transform="spline").train()
    x, c = torch.randn(20, 3).double(), torch.randn(20, 2).double()
    network.loss(x, c)
    with Watch():
        network.loss(x, c).mean().backward()


@pytest.mark.parametrize("base", ["normal", "student", {"name": "mixture", "trainable": True}])
def test_every_base_gives_draws_and_densities(base):
    network = flow(2, None, base_distribution=base, shake=0.1).float()
    draws = network.sample((1, 30), None, generator=torch.Generator().manual_seed(1))
    assert draws.shape == (1, 30, 2)
    assert network.log_prob(draws, None).shape == (1, 30)


def test_what_cannot_work_is_refused_before_any_work():
    for options, words in (
        ({"transform": "splin"}, "spline"),
        ({"permutation": "randon"}, "random"),
        ({"base_distribution": "norml"}, "normal"),
        ({"depth": 0}, ">= 1"),
        ({"transform_kwargs": {"bins": 8}}, "bins"),
        ({"transform": "spline", "transform_kwargs": {"bins": 1}}, ">= 2"),
        ({"transform": "spline", "transform_kwargs": {"default_domain": [0, 1]}}, "four numbers"),
        ({"transform": "spline", "transform_kwargs": {"default_domain": [0, 1, 0, 5]}}, "exceed"),
        ({"transform": "spline", "transform_kwargs": {"min_bin_width": 0.5}}, "exceed"),
    ):
        with pytest.raises((ConfigError, LookupError), match=words):
            CouplingFlow(**options)
    with pytest.raises(UnknownHyperparameterError, match="transform_kwargs"):
        CouplingFlow(transform_kwargs={"clmp": True})
    with pytest.raises(ShapeError, match="vectors"):
        CouplingFlow().build(Shapes(target=(4, 4, 1)))
    with pytest.raises(ConfigError, match="needs a time"):
        CouplingFlow(subnet="time_mlp").build(Shapes(target=(2,)))


@pytest.mark.parametrize("size", [1, 3])
def test_conditions_with_more_axes_are_refused_with_the_users_own_shapes(size):
    with pytest.raises(ShapeError, match=rf"shape \({size},\), conditions \(4, 2\)"):
        CouplingFlow().build(Shapes(target=(size,), conditions=(4, 2)))


def test_widths_are_half_of_those_of_a_lone_perceptron_unless_given():
    assert CouplingFlow().subnet.widths == (128, 128)
    assert CouplingFlow(subnet_kwargs={"dropout": 0.1}).subnet.widths == (128, 128)
    assert CouplingFlow(subnet_kwargs={"widths": [64]}).subnet.widths == (64,)
    assert CouplingFlow(subnet="mlp").subnet.widths == (256, 256)
