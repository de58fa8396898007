"""What is special about these networks: how levels are linked, places, sizes, precision, arguments that do not fit."""

from __future__ import annotations

import pytest
import torch
from sbicore_uvit import ResidualUViT, UViT

from sbicore.backbone import Backbone
from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SMALL = {"widths": [8, 16], "num_heads": 2, "transformer_width": 16, "transformer_blocks": 2, "expansion_factor": 2.0}
SHAPES = Shapes(target=(6, 4, 1), conditions=(6, 4, 2), time=True)
both = pytest.mark.parametrize("config", [UViT, ResidualUViT], ids=lambda config: config.name)


def rand(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def build(config, shapes=SHAPES, shake=0.1, **arguments):
    """In evaluation mode, with the parts that start at zero moved."""
    torch.manual_seed(1)
    module = config(**{**SMALL, **arguments}).build(shapes)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(shake * torch.randn(parameter.shape))
    return module.eval()


def between(module, x, t):
    """What enters between the way in and the way out, and what leaves it."""
    lead = x.shape[:1]
    h, embedded = module.stem(x, None, lead), module.embedding(t, None, lead)
    return h, module.between(h, embedded)


def silence(*parts):
    """Zero what the branches of these parts add."""
    for part in parts:
        for name, parameter in part.named_parameters():
            if name.startswith(("second.2.", "block.second.2.", "outer.2.", "attention.out.")):
                torch.nn.init.zeros_(parameter)


class TestStart:
    @both
    def test_in_a_network_the_output_starts_at_zero(self, config):
        shapes = Shapes(target=(5, 4, 2), conditions=(5, 4, 1), time=True, output=2)
        out = Backbone(config(**SMALL), shapes)(rand(3, 5, 4, 2), rand(3), rand(3, 5, 4, 1))
        assert out.shape == (3, 5, 4, 2)
        assert not out.any()

    def test_the_residual_one_starts_as_its_entrance(self):
        h, out = between(build(ResidualUViT, Shapes(target=(7, 5, 1), time=True), shake=0.0), rand(2, 7, 5, 1), rand(2))
        torch.testing.assert_close(out, h, rtol=0, atol=1e-6)
        assert h.std() > 0.1

    @both
    def test_an_identity_below_leaves_a_field_of_places_out(self, config):
        module = build(config, Shapes(target=(8, 8, 1), time=True), shake=0.0)
        h = rand(2, 16, 2, 2)
        placed = module.positions(h)
        assert not torch.allclose(placed, h, atol=0.1)
        torch.testing.assert_close(module.transformed(placed, rand(1, module.embedding.out_features)), placed)


class TestResidual:
    def test_a_level_changes_the_one_above_by_what_it_changes_itself(self):
        module = build(ResidualUViT, Shapes(target=(7, 5, 1), time=True), padding="zeros").double()
        silence(*module.transformer, *(block for level in module.levels for block in level.up))
        x, t = rand(2, 7, 5, 1).double(), rand(2).double()
        embedded = module.embedding(t, None, x.shape[:1])
        passed = []
        h = module.stem(x, None, x.shape[:1])
        for level in module.levels:
            for block in level.down:
                h = block(h, embedded)
            given = level.below(h)
            passed.append((level, h, given))
            h = given
        (first, p0, n0), (last, p1, _) = passed
        bias = last.back(torch.zeros_like(given), p1.shape[2:])
        expected = p0 + first.back(p1 + bias - n0, p0.shape[2:])
        torch.testing.assert_close(between(module, x, t)[1], expected)

    def test_with_no_change_below_a_level_passes_its_field_through(self):
        module = build(ResidualUViT, Shapes(target=(7, 5, 1), time=True), widths=[8])
        silence(*module.transformer, *module.levels[0].up)
        torch.nn.init.zeros_(module.levels[0].back.convolution.bias)
        x, t = rand(2, 7, 5, 1), rand(2)
        embedded, h = module.embedding(t, None, x.shape[:1]), module.stem(x, None, x.shape[:1])
        for block in module.levels[0].down:
            h = block(h, embedded)
        torch.testing.assert_close(between(module, x, t)[1], h, rtol=1e-5, atol=1e-6)


class TestLinks:
    def test_each_block_up_is_told_what_came_out_on_the_way_down(self):
        module = build(UViT, Shapes(target=(7, 5, 1), time=True), res_blocks=2)
        out, told = [], []
        for level in module.levels:
            for block in level.down:
                block.register_forward_hook(lambda _, __, result: out.append(result))
            for block in level.up:
                block.register_forward_pre_hook(lambda _, inputs: told.append(inputs[2]))
        between(module, rand(2, 7, 5, 1), rand(2))
        assert len(out) == len(told) == 4
        assert all(one is other for one, other in zip(reversed(out), told, strict=True))

    def test_the_branch_starts_with_the_sum_over_the_root_of_two(self):
        module = build(UViT, Shapes(target=(4, 4, 1), time=True), norm=None, activation="relu")
        block = module.levels[0].up[0].block
        h, link, embedded = rand(2, 8, 4, 4), rand(2, 8, 4, 4, seed=2), rand(2, module.embedding.out_features)
        total = (h + link) / 2**0.5
        expected = block.second(block.film(block.first[2](total.relu()), embedded)) + h
        torch.testing.assert_close(block(h, embedded, link), expected)


class TestPlaces:
    @both
    @pytest.mark.parametrize(("positions", "holds"), [(False, True), (True, False)])
    def test_without_positions_circular_fields_have_no_border(self, config, positions, holds):
        module = build(config, Shapes(target=(16, 8, 1), time=True), padding="circular", positions=positions)
        x, t = rand(16, 8, 1), torch.tensor(0.5)
        rolled = module(x.roll((8, -4), (0, 1)), t)
        assert torch.allclose(rolled, module(x, t).roll((8, -4), (0, 1)), atol=1e-4) == holds

    @both
    def test_every_pixel_sees_all_others(self, config):
        module = build(config, Shapes(target=(17, 9, 1), time=True), kernel_size=1, norm="layer").double()
        x = rand(17, 9, 1).double().requires_grad_()
        module(x, rand(1).double())[0, 0].sum().backward()
        assert (x.grad != 0).all()

    def test_each_has_its_own(self):
        module = build(UViT, Shapes(target=(40, 24, 1), time=True), shake=0.0)
        places = module.positions(torch.zeros(1, 16, 10, 6)).flatten(2)[0].T
        assert torch.pdist(places).min() > 0.1

    def test_they_do_not_move_as_the_field_grows(self):
        positions = build(UViT, shake=0.0).positions
        small, large = positions(torch.zeros(1, 16, 3, 5)), positions(torch.zeros(1, 16, 7, 9))
        torch.testing.assert_close(large[:, :, 2:5, 2:7], small)


class TestSizes:
    @both
    @pytest.mark.parametrize("space", [(1, 1), (2, 3), (7, 5), (16, 16), (1,), (13,), (3, 2, 5)], ids=str)
    def test_any_size_keeps_its_pixels(self, config, space):
        module = build(config, Shapes(target=(*space, 2), conditions=(3,), time=True))
        out = module(rand(2, 3, *space, 2), rand(1), rand(2, 1, 3))
        assert out.shape == (2, 3, *space, 16)
        assert out.isfinite().all()

    @both
    def test_other_sizes_than_built_for(self, config):
        assert build(config)(rand(2, 11, 3, 1), rand(2), rand(2, 11, 3, 2)).shape == (2, 11, 3, 16)

    @both
    def test_what_draws_share_is_computed_once(self, config):
        module, rows = build(config), []
        for part in (module.embedding.out, module.stem.from_conditions):
            part.register_forward_hook(lambda _, args, __: rows.append(args[0].shape[0]))
        assert module(rand(3, 5, 6, 4, 1), rand(1), rand(3, 1, 6, 4, 2)).shape == (3, 5, 6, 4, 16)
        assert rows == [1, 3]


class TestSwitches:
    @both
    def test_checkpointing_gives_the_same_gradients(self, config):
        found = []
        for checkpointing in (False, True):
            module = build(config, checkpointing=checkpointing, transformer_dropout=0.5, dropout=0.5).train()
            torch.manual_seed(2)
            module(rand(4, 6, 4, 1), rand(4), rand(4, 6, 4, 2)).square().sum().backward()
            found.append([parameter.grad for parameter in module.parameters()])
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other)

    @both
    def test_reduced_precision_is_close_and_keeps_the_dtype(self, config):
        inputs = rand(4, 6, 4, 1), rand(4), rand(4, 6, 4, 2)
        with torch.no_grad():
            full, reduced = build(config)(*inputs), build(config, precision="bfloat16")(*inputs)
        assert reduced.dtype == torch.float32
        assert 0 < float((full - reduced).abs().mean() / full.abs().mean()) < 0.05

    def test_as_many_blocks_up_as_down_or_as_told(self):
        counts = [
            [(len(level.down), len(level.up)) for level in build(ResidualUViT, **arguments).levels]
            for arguments in ({"res_blocks_up": None}, {"res_blocks_down": 1, "res_blocks_up": 4})
        ]
        assert counts == [[(2, 2)] * 2, [(1, 4)] * 2]


@both
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kernel_size": 2}, r"must be odd, got 2 +@ \$.kernel_size"),
        ({"up_kernel_size": 4}, r"must be odd, got 4 +@ \$.up_kernel_size"),
        ({"attn_stage": [True]}, r"(?s)has 1 flags for 2 stages.*\$.attn_stage"),
        ({"transformer_width": 30, "num_heads": 4}, r"(?s)4 does not divide the width 30.*\$.num_heads"),
        ({"attn_stage": [True, False], "widths": [9, 16]}, "2 does not divide the width 9"),
        ({"expansion_factor": 0}, "expansion_factor"),
    ],
    ids=["kernel", "up_kernel", "stages", "heads", "attending", "expansion"],
)
def test_arguments_that_do_not_fit(config, arguments, says):
    with pytest.raises(ConfigError, match=says):
        config(**{**SMALL, **arguments})


@both
def test_wide_kernels_wrap_a_periodic_field_once(config):
    shapes = Shapes(target=(4, 8, 1), time=True)
    refused = [("kernel_size", 7, True), ("up_kernel_size", 5, True)]
    for name, size, first in refused:
        with pytest.raises(ConfigError, match=rf"(?s){size} pixels reach around .*\$\.{name}"):
            build(config, shapes, padding="circular", up_conv_first=first, **{name: size})
    for name, size, first in [("kernel_size", 5, True), ("up_kernel_size", 5, False), ("up_kernel_size", 3, True)]:
        module = build(config, shapes, padding="circular", up_conv_first=first, **{name: size})
        assert module(rand(2, 4, 8, 1), rand(1)).shape == (2, 4, 8, 16)
