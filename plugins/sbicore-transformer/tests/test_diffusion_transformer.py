"""What is special about the transformer: its attention, its tokens, its cheap sampling, each hyperparameter."""

from __future__ import annotations

import attrs
import pytest
import torch
from sbicore_transformer import DiffusionTransformer
from sbicore_transformer.block import attend, attend_shared
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(3,), conditions=(4,), time=True)
SMALL = {"width": 16, "depth": 2, "num_heads": 2}
CHANGES = {
    "width": 8,
    "depth": 1,
    "num_heads": 4,
    "expansion_factor": 2.5,
    "attention": "joint",
    "condition_depth": 0,
    "conditioning": "time_film",
    "value_embedding_dim": 0,
    "value_scale": 3.0,
    "time_embedding_dim": 8,
    "fourier_scale": 3.0,
    "activation": "gelu",
    "dropout": 0.5,
}


def build(shapes=SHAPES, *, moved=True, **hyperparameters):
    """The module from a fixed seed; `moved` off the zeros that its gates start from."""
    torch.manual_seed(0)
    module = DiffusionTransformer(**{**SMALL, **hyperparameters}).build(shapes)
    if moved:
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def rand(*shape, seed=1, dtype=None):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.fixture
def inputs():
    return [rand(7, 3), rand(7, seed=2), rand(7, 4, seed=3)]


class TestHyperparameters:
    def test_all_of_them_are_tried_here(self):
        assert set(CHANGES) == {field.name for field in attrs.fields(DiffusionTransformer)}

    @pytest.mark.parametrize("name", CHANGES)
    def test_each_changes_the_result(self, name, inputs):
        one, other = (build(**change)(*inputs) for change in ({}, {name: CHANGES[name]}))
        assert one.shape != other.shape or not torch.allclose(one, other)

    def test_dropout_acts_in_training_only(self, inputs):
        module = build(dropout=0.5)
        assert not torch.equal(module(*inputs), module(*inputs))
        module.eval()
        assert torch.equal(module(*inputs), module(*inputs))

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"width": 50}, r"must be a multiple of num_heads, 4; got 50  @ \$\.width\nThe next one: width=52"),
            ({"num_heads": 6}, r"must be a multiple of num_heads, 6; got 64  @ \$\.width\nThe next one: width=66"),
            ({"depth": 0}, r"must be >= 1, got 0  @ \$\.depth"),
            ({"time_embedding_dim": 7}, r"must be a multiple of 2, got 7  @ \$\.time_embedding_dim"),
            ({"attention": "crossed"}, "unknown choice 'crossed'"),
            ({"widths": [64, 64]}, "'diffusion_transformer' has no hyperparameter 'widths'"),
        ],
    )
    def test_impossible_values_are_refused(self, wrong, message):
        with pytest.raises(ConfigError, match=message):
            DiffusionTransformer(**wrong)


class TestAttention:
    def test_it_is_softmax_attention_in_each_head(self):
        query, key, value = (rand(2, n, 8, seed=i, dtype=torch.float64) for i, n in enumerate((3, 5, 5)))
        expected = torch.empty_like(query)
        for part in (slice(0, 4), slice(4, 8)):
            weights = (query[..., part] @ key[..., part].mT / 2.0).softmax(-1)
            expected[..., part] = weights @ value[..., part]
        torch.testing.assert_close(attend(query, key, value, 2), expected)

    @pytest.mark.parametrize("shared", [(), (1,), (1, 1), (2, 1), (1, 5), (5,), (2, 5)])
    def test_shared_keys_are_as_repeated_ones(self, shared):
        query = rand(2, 5, 3, 8, dtype=torch.float64)
        key, value = (rand(*shared, 4, 8, seed=seed, dtype=torch.float64) for seed in (2, 3))
        repeated = [x.expand(2, 5, 4, 8) for x in (key, value)]
        torch.testing.assert_close(attend_shared(query, key, value, 2), attend(query, *repeated, 2))

    def test_blocks_start_as_the_identity(self, inputs):
        module = build(moved=False)
        tokens = module.targets(inputs[0])
        expected = nn.functional.layer_norm(tokens, (16,)).flatten(-2)
        torch.testing.assert_close(module(*inputs), expected)

    def test_conditions_see_no_targets_unless_attention_is_joint(self, inputs):
        """The only token of a target then hears of the other targets from its own kind alone."""
        x, t, conditions = inputs
        for attention, same in (("cross", True), ("joint", False)):
            module = build(attention=attention)
            seen = []
            module.condition_blocks[0].register_forward_hook(lambda _, args, result, seen=seen: seen.append(result))
            block = module.blocks[0]
            block.register_forward_hook(lambda _, args, result, seen=seen: seen.append(result))
            module(x, t, conditions)
            module(x + 1, t, conditions)
            torch.testing.assert_close(seen[0], seen[2])
            assert (seen[1].shape[-2] == 3) is same
            assert not torch.allclose(seen[1], seen[3])


class TestTokens:
    def test_variables_have_an_identity(self, inputs):
        x, t, conditions = inputs
        module = build(conditioning="time_film")
        tokens = module(x, t, conditions).unflatten(-1, (3, -1))
        assert not torch.allclose(module(x.flip(-1), t, conditions).unflatten(-1, (3, -1)).flip(-2), tokens)
        assert not torch.allclose(module(x, t, conditions.flip(-1)).unflatten(-1, (3, -1)), tokens)

    @pytest.mark.parametrize("attention", ["cross", "joint"])
    def test_nothing_but_the_identity_tells_them_apart(self, attention, inputs):
        """Without it, targets may be permuted with their tokens, and conditions as one likes."""
        x, t, conditions = inputs
        module = build(conditioning="time_film", attention=attention)
        with torch.no_grad():
            module.targets.identity.zero_()
            module.conditions.identity.zero_()
        tokens = module(x, t, conditions).unflatten(-1, (3, -1))
        permuted = module(x.flip(-1), t, conditions[:, [2, 0, 3, 1]]).unflatten(-1, (3, -1))
        torch.testing.assert_close(permuted.flip(-2), tokens)

    @pytest.mark.parametrize("targets", [1, 2])
    @pytest.mark.parametrize("conditions", [None, (1,), (100,)])
    @pytest.mark.parametrize("output", [None, 3])
    def test_any_number_of_variables(self, targets, conditions, output):
        module = build(Shapes(target=(targets,), conditions=conditions, time=True, output=output))
        result = module(rand(2, 6, targets), rand(1), None if conditions is None else rand(2, 1, *conditions))
        assert result.shape == (2, 6, module.out_features)
        assert module.out_features == (output or targets * 16)


class TestSampling:
    @pytest.mark.parametrize("attention", ["cross", "joint"])
    @pytest.mark.parametrize(("rows", "draws"), [(0, 5), (2, 0)])
    def test_none_are_fine(self, attention, rows, draws):
        result = build(attention=attention)(rand(rows, draws, 3), rand(1), rand(rows, 1, 4))
        assert result.shape == (rows, draws, 48)

    @pytest.mark.parametrize(
        ("conditioning", "lead"), [("film", (7, 1)), ("time_film", (1,))], ids=["film", "time_film"]
    )
    def test_what_draws_share_is_computed_and_kept_once(self, conditioning, lead, monkeypatch):
        keys = []
        attention = nn.functional.scaled_dot_product_attention
        monkeypatch.setattr(
            "torch.nn.functional.scaled_dot_product_attention",
            lambda q, k, v: keys.append(k.shape) or attention(q, k, v),
        )
        module = build(conditioning=conditioning)
        found = {}
        watched = {
            "modulation": module.modulation,
            "tokens": module.conditions,
            "encoded": module.condition_blocks[0],
            "keys": module.blocks[1].from_context,
        }
        for name, part in watched.items():
            part.register_forward_hook(lambda _, args, out, name=name: found.setdefault(name, out))
        assert module(rand(7, 100, 3), rand(1), rand(7, 1, 4)).shape == (7, 100, 48)
        assert found["modulation"].shape[:-3] == lead
        assert [found[name].shape[:-2] for name in ("tokens", "encoded", "keys")] == [(7, 1)] * 3
        assert keys == [(7, 2, 4, 8), *[(700, 2, 3, 8), (7, 2, 4, 8)] * 2]

    def test_a_hundred_conditions_cost_a_draw_what_attention_to_them_costs(self):
        def operations(conditions, draws):
            module = build(attrs.evolve(SHAPES, conditions=(conditions,)))
            with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
                module(rand(1, draws, 3), rand(1), rand(1, 1, conditions))
            return counter.get_total_flops()

        few, many = (operations(n, 1001) - operations(n, 1) for n in (1, 101))
        attention = 2 * (2 * 3 * 100 * 16)  # products with keys and values, of 3 tokens, by 2 operations a product
        assert many - few == pytest.approx(1000 * 2 * attention, rel=0.05)


class TestGradients:
    """Fused attention has one derivative and no batching rule; networks that need more choose the other kernel."""

    @pytest.mark.parametrize("attention", ["cross", "joint"])
    def test_jacobians_vectorise(self, attention, inputs):
        module = build(attention=attention)
        with sdpa_kernel(SDPBackend.MATH):
            forward = torch.vmap(torch.func.jacfwd(module))(*inputs)
            backward = torch.vmap(torch.func.jacrev(module))(*inputs)
        x, t, conditions = inputs
        x.requires_grad_()
        value = module(x, t, conditions)
        basis = torch.eye(value.shape[-1])[:, None].expand(-1, 7, -1)
        (products,) = torch.autograd.grad(value, x, basis, is_grads_batched=True)
        torch.testing.assert_close(products.transpose(0, 1), backward)
        torch.testing.assert_close(forward, backward)

    @pytest.mark.parametrize("attention", ["cross", "joint"])
    def test_derivatives_are_those_of_the_function(self, attention, inputs):
        module = build(attention=attention).double()
        arguments = [value[:2].double().requires_grad_() for value in inputs]
        assert torch.autograd.gradcheck(module, arguments, fast_mode=True)
        with sdpa_kernel(SDPBackend.MATH):
            assert torch.autograd.gradgradcheck(module, arguments, fast_mode=True)
