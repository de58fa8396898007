"""What is special about the perceptrons: each hyperparameter, FiLM, and cheap sampling."""

from __future__ import annotations

import attrs
import pytest
import torch
from sbicore_mlp import MLP, TimeMLP
from sbicore_mlp.layers import ResidualLayer

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(3,), conditions=(2,), time=True)
SMALL = {"widths": [16, 16]}

CHANGES = {
    MLP: {"widths": [16, 8], "activation": "gelu", "gated": True, "residual": False, "norm": "rms", "dropout": 0.5},
    TimeMLP: {
        "widths": [16, 8],
        "activation": "gelu",
        "gated": True,
        "residual": False,
        "norm": None,
        "conditioning": "concat",
        "film_use_gamma": False,
        "time_embedding_dim": 8,
        "fourier_scale": 3.0,
        "dropout": 0.5,
    },
}


def build(config, shapes=SHAPES, *, moved=True):
    """The module from a fixed seed; `moved` off the zeros that FiLM starts from."""
    torch.manual_seed(0)
    module = config.build(shapes)
    if moved:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def size(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(shape, generator=generator) for shape in ((7, 3), (7,), (7, 2))]


class TestHyperparameters:
    @pytest.mark.parametrize("config", CHANGES)
    def test_all_of_them_are_tried_here(self, config):
        assert set(CHANGES[config]) == {field.name for field in attrs.fields(config)}

    @pytest.mark.parametrize(("config", "name"), [(c, name) for c, changes in CHANGES.items() for name in changes])
    def test_each_changes_the_result(self, config, name, inputs):
        one, other = (build(config(**{**SMALL, **change}))(*inputs) for change in ({}, {name: CHANGES[config][name]}))
        assert one.shape != other.shape or not torch.allclose(one, other)

    @pytest.mark.parametrize("config", [MLP, TimeMLP])
    def test_dropout_acts_in_training_only(self, config, inputs):
        module = build(config(dropout=0.5, **SMALL))
        assert not torch.equal(module(*inputs), module(*inputs))
        module.eval()
        assert torch.equal(module(*inputs), module(*inputs))

    def test_features_of_the_time_come_in_pairs(self):
        with pytest.raises(ConfigError, match=r"must be 1 or even, got 7  @ \$\.time_embedding_dim"):
            TimeMLP(time_embedding_dim=7)

    def test_the_default_backbone_has_less_than_half_a_million_parameters(self):
        assert 400_000 < size(build(TimeMLP())) < 500_000


class TestTime:
    def test_mlp_without_a_time_has_no_weights_for_it(self, inputs):
        timeless = build(MLP(**SMALL), attrs.evolve(SHAPES, time=False))
        assert size(timeless) == size(build(MLP(**SMALL))) - 16
        assert timeless(inputs[0], None, inputs[2]).shape == (7, 16)

    def test_raw_time_needs_no_frequencies(self):
        assert build(TimeMLP(time_embedding_dim=1)).time_embedding.frequencies is None


class TestFilm:
    def test_it_starts_as_the_identity(self, inputs):
        start = [build(TimeMLP(conditioning=how, **SMALL), moved=False)(*inputs) for how in ("concat", "film")]
        torch.testing.assert_close(*start)

    def test_the_variants_differ_once_trained(self, inputs):
        results = [build(TimeMLP(conditioning=how, **SMALL))(*inputs) for how in ("time_film", "film", "concat")]
        for i in range(3):
            assert not torch.allclose(results[i], results[i - 1])

    @pytest.mark.parametrize(("conditioning", "lead"), [("time_film", (1,)), ("film", (7, 1))])
    def test_it_is_computed_once_for_all_draws(self, conditioning, lead):
        module = build(TimeMLP(conditioning=conditioning, **SMALL))
        shapes = []
        module.shifts[0].register_forward_hook(lambda _, args, result: shapes.append(tuple(result.shape[:-1])))
        assert module(torch.rand(7, 100, 3), torch.rand(1), torch.rand(7, 1, 2)).shape == (7, 100, 16)
        assert shapes == [lead]


@pytest.mark.parametrize("config", [MLP, TimeMLP])
def test_jacobians_vectorise(config, inputs):
    module = build(config(**SMALL)).eval()
    jacobian = torch.func.jacrev(module)
    together = torch.vmap(jacobian)(*inputs)
    torch.testing.assert_close(together[3], jacobian(*(value[3] for value in inputs)))


def test_a_gated_layer_is_a_product_of_two_maps():
    """With norm, residual and bias out of the way: `V (act(A x) * B x)`."""
    layer = ResidualLayer(MLP(gated=True, residual=False), 3, 4)
    a, b = layer.linear.weight.chunk(2)
    bias_a, bias_b = layer.linear.bias.chunk(2)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    gate = torch.nn.functional.silu(x @ a.T + bias_a)
    expected = layer.after_gate(gate * (x @ b.T + bias_b))
    torch.testing.assert_close(layer(x), expected)
    assert layer.modulated == 8


def test_a_normalised_residual_stack_starts_linear_and_ends_normalised(inputs):
    x, t, conditions = inputs
    module = TimeMLP(widths=[8, 8]).build(SHAPES)
    for layer in module.layers:
        torch.nn.init.zeros_(layer.linear.weight)
        torch.nn.init.zeros_(layer.linear.bias)
    linear = module.from_x(x) + module.from_t(module.time_embedding(t)) + module.from_conditions(conditions)
    torch.testing.assert_close(module(x, t, conditions), torch.nn.functional.layer_norm(linear, (8,)))
    bare = TimeMLP(widths=[8, 8], norm=None).build(SHAPES)
    assert isinstance(bare.last_norm, torch.nn.Identity)
