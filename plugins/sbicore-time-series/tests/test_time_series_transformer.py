"""What is special about the transformer: each hyperparameter, times, masks and the token."""

from __future__ import annotations

import math

import attrs
import pytest
import torch
from sbicore_time_series import TimeSeriesTransformer
from sbicore_time_series.time2vec import Time2Vec

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(12, 3))
SMALL = {"embed_dims": [8, 8], "num_heads": [2, 2]}
CHANGES = {
    "summary_dim": {"summary_dim": 4},
    "embed_dims": {"embed_dims": [8, 4]},
    "num_heads": {"num_heads": [2, 4]},
    "expansion_factor": {"expansion_factor": 2},
    "activation": {"activation": "relu"},
    "time_embedding": {"time_embedding": None},
    "time_embed_dim": {"time_embed_dim": 3},
    "time_axis": {"time_axis": 1},
    "dropout": {"dropout": 0.5},
}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def build(**changes):
    torch.manual_seed(0)
    return TimeSeriesTransformer(**{**SMALL, **changes}).build(SHAPES)


def test_each_hyperparameter_changes_the_result():
    assert set(CHANGES) == {field.name for field in attrs.fields(TimeSeriesTransformer)}
    x = random(5, 12, 3)
    for name, change in CHANGES.items():
        results = []
        for module in (build(), build(**change)):
            torch.manual_seed(1)
            results.append(module(x))
        one, other = results
        assert one.shape != other.shape or not torch.allclose(one, other), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_heads": [2]}, r"one number for each of the 2 embed_dims, got 1  @ \$\.num_heads"),
        ({"embed_dims": [8, 10], "num_heads": [2, 4]}, r"4 heads do not divide a width of 10  @ \$\.num_heads"),
        ({"time_axis": 0, "time_embedding": None}, r"would be dropped  @ \$\.time_axis"),
    ],
)
def test_what_cannot_work_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        TimeSeriesTransformer(**wrong)


@pytest.mark.parametrize("axis", [3, -4])
def test_times_must_be_among_the_features(axis):
    with pytest.raises(ConfigError, match=rf"3 features, and so none of index {axis}  @ \$\.time_axis"):
        TimeSeriesTransformer(time_axis=axis).build(SHAPES)


class TestTimes:
    def test_given_times_replace_the_order(self):
        module, x = build(time_axis=1).eval(), random(2, 12, 3)
        torch.testing.assert_close(module(x.flip(1)), module(x))

    def test_counted_times_are_the_order(self):
        module, x = build().eval(), random(2, 12, 3)
        assert not torch.allclose(module(x.flip(1)), module(x))

    def test_without_an_embedding_the_order_has_no_effect(self):
        module, x = build(time_embedding=None).eval(), random(2, 12, 3)
        torch.testing.assert_close(module(x.flip(1)), module(x))

    def test_the_feature_of_times_is_counted_from_either_end(self):
        one, other = (build(time_axis=axis).eval() for axis in (1, -2))
        torch.testing.assert_close(one(random(2, 12, 3)), other(random(2, 12, 3)))

    def test_times_may_be_all_there_is(self):
        module = TimeSeriesTransformer(time_axis=0).build(Shapes(target=(5, 1)))
        assert module(random(2, 5, 1)).shape == (2, 16)

    def test_time2vec_is_one_line_and_sines(self):
        embedding, t = Time2Vec(4, 10), torch.rand(6)
        found = embedding(t)
        torch.testing.assert_close(found[:, 0], t)
        cycles = embedding.scale[1:] / (2 * math.pi)
        torch.testing.assert_close(cycles, torch.tensor([0.5, math.sqrt(2.5), 5.0]))
        torch.testing.assert_close(found[:, 1:], (t[:, None] * embedding.scale[1:] + embedding.shift[1:]).sin())


class TestMasks:
    def test_masked_entries_are_as_if_left_out(self):
        """With given times, whatever their place; without, those that are there keep their place."""
        module, x, kept = build(time_axis=0).eval(), random(2, 7, 3), [0, 2, 3, 6]
        mask = torch.zeros(2, 7, dtype=torch.bool)
        mask[:, kept] = True
        torch.testing.assert_close(module(x, mask), module(x[:, kept]))
        counted = build().eval()
        assert not torch.allclose(counted(x, mask), counted(x[:, kept]))

    def test_rows_without_entries_have_the_summary_of_the_token(self):
        module = build().eval()
        none = torch.zeros(2, 5, dtype=torch.bool)
        one, other = module(random(2, 5, 3), none), module(random(2, 5, 3, seed=1), none)
        assert torch.equal(one, other)
        torch.testing.assert_close(one[0], one[1])


def test_only_the_token_asks_in_the_last_block():
    module, shapes = build(), []
    for block in module.blocks:
        block.register_forward_hook(lambda _, args, result: shapes.append(tuple(result.shape)))
    module(random(2, 12, 3))
    assert shapes == [(2, 13, 8), (2, 1, 8)]
