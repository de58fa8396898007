"""What is special about the network of images: each hyperparameter, odd and tiny images, the start, rows."""

from __future__ import annotations

import attrs
import pytest
import torch
from sbicore_convolutional import ConvolutionalNetwork
from sbicore_convolutional.block import ResidualBlock

from sbicore.errors import ConfigError, ShapeError
from sbicore.shapes import Shapes

POOLS = ("average", "max", "attention", "flatten")
NORMS = (None, "layer", "group")
SMALL = {"widths": [8, 16], "blocks_per_stage": 1}
CHANGES = {
    "summary_dim": 4,
    "widths": [8, 8],
    "kernel_size": 5,
    "blocks_per_stage": 2,
    "norm": "layer",
    "activation": "tanh",
    "dropout": 0.5,
    "pool": "max",
    "coordinates": False,
}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def build(size=(8, 8, 3), *, moved=True, **changes):
    """The module from a fixed seed; `moved` off the zeros that branches and scores start from."""
    torch.manual_seed(0)
    module = ConvolutionalNetwork(**{**SMALL, **changes}).build(Shapes(target=size))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * moved * torch.randn_like(parameter))
    return module


class TestHyperparameters:
    def test_all_of_them_are_tried_here(self):
        assert set(CHANGES) == {field.name for field in attrs.fields(ConvolutionalNetwork)}

    @pytest.mark.parametrize("name", CHANGES)
    def test_each_changes_the_result(self, name):
        one, other = (build(**change)(random(5, 8, 8, 3)) for change in ({}, {name: CHANGES[name]}))
        assert one.shape != other.shape or not torch.allclose(one, other)

    def test_dropout_acts_in_training_only(self):
        module, x = build(dropout=0.5), random(5, 8, 8, 3)
        assert not torch.equal(module(x), module(x))
        module.eval()
        assert torch.equal(module(x), module(x))

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"kernel_size": 4}, r"must be odd, got 4  @ \$\.kernel_size"),
            ({"widths": [8, 1]}, r"must be >= 2, got 1  @ \$\.widths"),
            ({"norm": "batch"}, "unknown choice 'batch'"),
            ({"pool": "mean"}, "unknown choice 'mean'"),
            ({"blocks_per_stage": 0}, r"@ \$\.blocks_per_stage"),
        ],
    )
    def test_what_cannot_work_is_refused(self, wrong, message):
        with pytest.raises(ConfigError, match=message):
            ConvolutionalNetwork(**wrong)


class TestSizes:
    @pytest.mark.parametrize("pool", POOLS)
    @pytest.mark.parametrize("norm", NORMS)
    @pytest.mark.parametrize("size", [(1, 1), (2, 3), (5, 7), (1, 9)])
    def test_small_and_odd_images_work_in_training_too(self, size, norm, pool):
        module = build((*size, 2), norm=norm, pool=pool, widths=[2, 4, 6, 8])
        for lead in ((), (1,), (3,), (2, 0)):
            result = module(random(*lead, *size, 2))
            assert result.shape == (*lead, 16)
            assert result.isfinite().all()

    @pytest.mark.parametrize("pool", POOLS[:3])
    def test_images_of_another_size_than_built_for(self, pool):
        module = build(pool=pool)
        for size in ((1, 1), (7, 4), (20, 31)):
            assert module(random(2, *size, 3)).shape == (2, 16)

    def test_flattened_images_have_one_size(self):
        with pytest.raises(ShapeError, match="images of 8 x 6 pixels; got 7 x 5") as caught:
            build((8, 6, 3), pool="flatten")(random(2, 7, 5, 3))
        assert (caught.value.expected, caught.value.got) == ((8, 6), (7, 5))

    def test_an_image_without_channels_is_refused(self):
        with pytest.raises(ShapeError, match=r"takes images \(H, W, C\); these have the shape \(8, 8\)"):
            build((8, 8))


class TestStart:
    @pytest.mark.parametrize("norm", NORMS)
    @pytest.mark.parametrize("pool", POOLS)
    def test_every_pixel_has_an_effect(self, pool, norm):
        module, x = build((7, 5, 1), moved=False, pool=pool, norm=norm, widths=[16, 16, 16]), random(7, 5, 1)
        before = module(x)
        for row in range(7):
            for column in range(5):
                results = []
                for step in (3.0, -3.0):
                    changed = x.clone()
                    changed[row, column] += step
                    results.append(module(changed))
                assert not all(torch.equal(result, before) for result in results)

    @pytest.mark.parametrize("norm", NORMS)
    def test_blocks_are_the_identity_and_the_network_is_linear(self, norm):
        block, x = ResidualBlock(ConvolutionalNetwork(norm=norm), 32), random(2, 32, 4, 4)
        assert torch.equal(block(x), x)
        module = build(moved=False, norm=norm)
        one, other = random(2, 2, 8, 8, 3)
        torch.testing.assert_close(module(one) + module(other), module(one + other) + module(0 * one))

    @pytest.mark.parametrize("norm", NORMS)
    def test_rows_do_not_depend_on_others_in_training(self, norm):
        module, x = build(norm=norm).train(), random(6, 8, 8, 3)
        torch.testing.assert_close(module(x)[2], module(x[2]), rtol=1e-5, atol=1e-5)


def test_the_mean_over_pixels_alone_does_not_know_where_they_are():
    """But for borders: with kernels of one pixel nothing but the coordinates tells places apart."""
    x = random(2, 8, 8, 3)
    for coordinates in (True, False):
        module = build(kernel_size=1, widths=[8], coordinates=coordinates)
        assert torch.allclose(module(x), module(x.flip(1, 2)), atol=1e-5) is not coordinates


def test_jacobians_vectorise():
    module, x = build().eval(), random(3, 8, 8, 3)
    jacobian = torch.func.jacrev(module)
    torch.testing.assert_close(torch.vmap(jacobian)(x)[1], jacobian(x[1]))
