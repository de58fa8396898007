"""What is special about the U-Net: what draws share, symmetries, sizes, precision, and arguments that do not fit."""

from __future__ import annotations

import pytest
import torch
from sbicore_unet import UNet

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SMALL = {"widths": [8, 16], "res_blocks": 1, "num_heads": 2}
SHAPES = Shapes(target=(6, 4, 1), conditions=(6, 4, 2), time=True)


def rand(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def build(shapes=SHAPES, **arguments):
    """In evaluation mode, with the parts that start at zero moved."""
    torch.manual_seed(1)
    module = UNet(**{**SMALL, **arguments}).build(shapes)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return module.eval()


class TestSharing:
    def test_what_draws_share_is_computed_once(self):
        module, rows = build(), []
        for part in (module.embedding.out, module.stem.from_conditions):
            part.register_forward_hook(lambda _, args, __: rows.append(args[0].shape[0]))
        assert module(rand(3, 5, 6, 4, 1), rand(1), rand(3, 1, 6, 4, 2)).shape == (3, 5, 6, 4, 16)
        assert rows == [1, 3]

    def test_a_vector_is_embedded_once_for_each_observation(self):
        module, rows = build(Shapes(target=(6, 4, 1), conditions=(2,), time=True)), []
        module.embedding.from_conditions.register_forward_hook(lambda _, args, __: rows.append(args[0].shape[:-1]))
        assert module(rand(3, 5, 6, 4, 1), rand(1), rand(3, 1, 2)).shape == (3, 5, 6, 4, 16)
        assert rows == [(3, 1)]

    @pytest.mark.parametrize(("rows", "draws"), [(0, 5), (2, 0)])
    def test_no_rows_are_fine(self, rows, draws):
        assert build()(rand(rows, draws, 6, 4, 1), rand(1), rand(rows, 1, 6, 4, 2)).shape == (rows, draws, 6, 4, 16)


class TestFields:
    def test_it_starts_as_a_linear_map_beside_normalised_features(self):
        torch.manual_seed(1)
        module = UNet(**SMALL).build(SHAPES)
        (a, b), t, c = rand(2, 6, 4, 1), rand(1), rand(6, 4, 2)
        with torch.no_grad():
            whole, parts = module(a + b, t, 2 * c), module(a, t, c) + module(b, t, c)
        torch.testing.assert_close(whole[..., 8:], parts[..., 8:], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(whole[..., :8], parts[..., :8], atol=0.1)

    def test_circular_fields_have_no_border(self):
        shapes, t = Shapes(target=(8, 8, 1), time=True), torch.tensor(0.5)
        x = rand(8, 8, 1)
        for padding, holds in (("circular", True), ("zeros", False)):
            module = build(shapes, padding=padding)
            rolled = module(x.roll((2, -2), (0, 1)), t)
            assert torch.allclose(rolled, module(x, t).roll((2, -2), (0, 1)), atol=1e-5) == holds

    def test_every_pixel_sees_all_others(self):
        module, x = build(Shapes(target=(9, 7, 1), time=True)).double(), rand(9, 7, 1).double().requires_grad_()
        module(x, torch.rand(1).double())[0, 0].sum().backward()
        assert (x.grad != 0).all()

    def test_other_sizes_than_built_for(self):
        assert build()(rand(2, 11, 3, 1), rand(2), rand(2, 11, 3, 2)).shape == (2, 11, 3, 16)


class TestSwitches:
    def test_checkpointing_gives_the_same_gradients(self):
        found = []
        for checkpointing in (False, True):
            module = build(checkpointing=checkpointing).train()
            module(rand(4, 6, 4, 1), rand(4), rand(4, 6, 4, 2)).square().sum().backward()
            found.append([parameter.grad for parameter in module.parameters()])
        for one, other in zip(*found, strict=True):
            torch.testing.assert_close(one, other)

    def test_reduced_precision_is_close_and_keeps_the_dtype(self):
        inputs = rand(4, 6, 4, 1), rand(4), rand(4, 6, 4, 2)
        with torch.no_grad():
            full, reduced = build()(*inputs), build(precision="bfloat16")(*inputs)
        assert reduced.dtype == torch.float32
        assert 0 < float((full - reduced).abs().mean() / full.abs().mean()) < 0.05


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"kernel_size": 2}, r"must be odd, got 2 +@ \$.kernel_size"),
        ({"attn_stage": [True]}, r"(?s)has 1 flags for 2 stages.*\$.attn_stage"),
        ({"widths": [8, 18], "num_heads": 4}, r"(?s)4 does not divide the width 18.*\$.num_heads"),
        ({"attn_stage": [True, False], "num_heads": 3, "widths": [8, 9]}, "3 does not divide the width 8"),
        ({"time_emb_dim": 3}, "must be a multiple of 2, got 3"),
        ({"padding": "reflect"}, "Choices: zeros, circular"),
    ],
    ids=["kernel", "stages", "heads", "attending", "time", "padding"],
)
def test_arguments_that_do_not_fit(arguments, says):
    with pytest.raises(ConfigError, match=says):
        UNet(**{**SMALL, **arguments})


@pytest.mark.parametrize(("side", "fits"), [(3, True), (2, False)])
def test_wide_kernels_wrap_a_periodic_field_once(side, fits):
    arguments = {"padding": "circular", "kernel_size": 5}
    shapes = Shapes(target=(side, 9, 1), time=True)
    if fits:
        assert build(shapes, **arguments)(rand(2, side, 9, 1), rand(1)).shape == (2, side, 9, 16)
    else:
        with pytest.raises(ConfigError, match=r"(?s)5 pixels reach around .* 1 x 5 pixels are left .*\$.kernel_size"):
            build(shapes, **arguments)
    assert build(shapes, kernel_size=5)(rand(2, side, 9, 1), rand(1)).shape == (2, side, 9, 16)
