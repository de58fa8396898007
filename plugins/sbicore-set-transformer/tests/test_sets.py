"""What is special about the summary networks of sets: size, inducing points, pooling, and what they refuse."""

from __future__ import annotations

import pytest
import torch
from sbicore_set_transformer import DeepSet, SetTransformer

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(6, 2))
CONFIGS = [DeepSet(embed_dim=8), SetTransformer(embed_dims=[8, 8], num_inducing_points=3)]


def make(config):
    torch.manual_seed(0)
    return config.build(SHAPES).eval()


@pytest.mark.parametrize("config", CONFIGS)
def test_the_size_of_a_set_is_read(config):
    module, x = make(config), torch.ones(1, 4, 2)
    assert not torch.allclose(module(x), module(x.repeat(1, 5, 1)), atol=1e-3)


@pytest.mark.parametrize("config", [DeepSet(), SetTransformer()])
def test_a_fresh_summary_tells_sizes_apart(config):
    module, x = make(config), torch.ones(1, 1, 2)
    small, large = (module(x.expand(1, size, 2)) for size in (10, 100))
    assert (large - small).norm() > 1.0


@pytest.mark.parametrize("config", CONFIGS)
def test_a_set_without_entries_has_a_summary(config):
    found = make(config)(torch.zeros(3, 0, 2))
    assert found.shape == (3, 16) and found.isfinite().all()


@pytest.mark.parametrize("pooling", ["mean", "max", "min", "attention"])
def test_pooling_heeds_the_mask(pooling):
    module = make(DeepSet(embed_dim=8, inner_pooling=pooling))
    x, mask = torch.randn(2, 6, 2), torch.arange(6) < 4
    torch.testing.assert_close(module(x, mask.expand(2, -1)), module(x[:, :4]))


def test_a_gated_transformer_starts_as_pooling():
    """With all gates at 0 the blocks between the entries change nothing."""
    module = make(SetTransformer(embed_dims=[8, 8]))
    h = torch.randn(2, 6, 8)
    for layer in module.layers:
        torch.testing.assert_close(layer(h), h)


@pytest.mark.parametrize(
    ("make_config", "message"),
    [
        (lambda: DeepSet(num_heads=5), "must divide embed_dim"),
        (lambda: SetTransformer(num_heads=[4]), "must have the length of embed_dims"),
        (lambda: SetTransformer(embed_dims=[8, 9]), "must divide embed_dims"),
        (lambda: DeepSet(inner_pooling="median"), "unknown choice 'median'"),
    ],
)
def test_what_cannot_be_is_refused(make_config, message):
    with pytest.raises(ConfigError, match=message):
        make_config()
