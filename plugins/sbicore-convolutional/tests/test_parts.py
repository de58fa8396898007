"""The parts of the network against their definitions: halving, normalisation, pooling, coordinates."""

from __future__ import annotations

import pytest
import torch
from sbicore_convolutional.block import Halving, normalisation
from sbicore_convolutional.module import with_coordinates
from sbicore_convolutional.pooling import AttentionPool


def random(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_padding_does_not_count():
    halving, x = Halving(4, 4), random(2, 4, 5, 3)
    torch.nn.init.dirac_(halving.channels.weight)
    torch.nn.init.zeros_(halving.channels.bias)
    result = halving(x)
    assert result.shape == (2, 4, 3, 2)
    torch.testing.assert_close(result[..., 0, 0], x[..., :2, :2].mean((-2, -1)))
    torch.testing.assert_close(result[..., 2, 0], x[..., 4, :2].mean(-1))
    torch.testing.assert_close(result[..., 2, 1], x[..., 4, 2])


def test_layer_norm_is_over_the_channels_of_each_pixel():
    x = random(2, 6, 3, 4)
    expected = torch.nn.functional.layer_norm(x.permute(0, 2, 3, 1), (6,)).permute(0, 3, 1, 2)
    torch.testing.assert_close(normalisation("layer", 6)(x), expected)


@pytest.mark.parametrize(("width", "groups"), [(2, 1), (8, 1), (12, 1), (20, 2), (32, 4), (100, 4), (128, 16)])
def test_groups_of_a_norm_have_eight_channels_or_more(width, groups):
    assert normalisation("group", width).num_groups == groups


def test_attention_starts_as_the_mean_and_then_weighs():
    pool, x = AttentionPool(6), random(2, 6, 3, 4)
    torch.testing.assert_close(pool(x), x.mean((-2, -1)))
    torch.nn.init.normal_(pool.scores.weight)
    weights = torch.nn.functional.conv2d(x, pool.scores.weight).flatten(2).softmax(-1)
    expected = (x.flatten(2) * weights.repeat_interleave(3, dim=1)).sum(-1)
    torch.testing.assert_close(pool(x), expected)
    assert pool.heads == 2


def test_coordinates_are_those_of_the_centres():
    result = with_coordinates(random(2, 2, 5, 3))
    assert result.shape == (2, 2, 5, 5)
    torch.testing.assert_close(result[1, :, 3, 3], torch.tensor([-0.5, 0.5]))
    torch.testing.assert_close(result[1, 1, :, 4], torch.tensor([-0.8, -0.4, 0.0, 0.4, 0.8]))
    assert with_coordinates(random(1, 1, 1, 1))[0, 0, 0, 1:].tolist() == [0.0, 0.0]
