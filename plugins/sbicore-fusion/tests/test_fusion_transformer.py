"""What is special about the fusion transformer: each hyperparameter, the template, masks."""

from __future__ import annotations

import attrs
import pytest
import torch
from sbicore_fusion import FusionTransformer

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

SHAPES = Shapes(target=(12, 3))
SMALL = {"embed_dims": [8, 8], "num_heads": [2, 2], "template_dim": 6}
CHANGES = {
    "summary_dim": 4,
    "embed_dims": [8, 4],
    "num_heads": [2, 4],
    "expansion_factor": 2,
    "activation": "relu",
    "template_type": "lstm",
    "template_dim": 5,
    "bidirectional": False,
    "dropout": 0.5,
}


def random(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def build(**changes):
    torch.manual_seed(0)
    return FusionTransformer(**{**SMALL, **changes}).build(SHAPES)


def test_each_hyperparameter_changes_the_result():
    assert set(CHANGES) == {field.name for field in attrs.fields(FusionTransformer)}
    for name, change in CHANGES.items():
        results = []
        for module in (build(), build(**{name: change})):
            torch.manual_seed(1)
            results.append(module(random(5, 12, 3)))
        one, other = results
        assert one.shape != other.shape or not torch.allclose(one, other), name


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"num_heads": [2]}, r"one number for each of the 2 embed_dims, got 1  @ \$\.num_heads"),
        ({"num_heads": [2, 3]}, r"3 heads do not divide a width of 8  @ \$\.num_heads"),
        ({"template_type": "rnn"}, "unknown choice 'rnn'"),
    ],
)
def test_what_cannot_work_is_refused(wrong, message):
    with pytest.raises(ConfigError, match=message):
        build(**wrong)


def test_order_enters_by_the_template():
    module, x = build().eval(), random(2, 12, 3)
    assert not torch.allclose(module(x.flip(1)), module(x))
    module.template[1].weight.data.zero_()
    torch.testing.assert_close(module(x.flip(1)), module(x))


def test_masked_entries_are_as_if_left_out():
    module, x, kept = build().eval(), random(2, 7, 3), [0, 2, 3, 6]
    mask = torch.zeros(2, 7, dtype=torch.bool)
    mask[:, kept] = True
    torch.testing.assert_close(module(x, mask), module(x[:, kept]))


def test_rows_without_entries_are_alike():
    module, none = build().eval(), torch.zeros(2, 5, dtype=torch.bool)
    found = module(random(2, 5, 3), none)
    assert found.isfinite().all()
    assert torch.equal(found, module(random(2, 5, 3, seed=1), none))


def test_only_the_template_asks_in_the_last_block():
    module, shapes = build(), []
    for block in module.blocks:
        block.register_forward_hook(lambda _, args, result: shapes.append(tuple(result.shape)))
    module(random(2, 12, 3))
    assert shapes == [(2, 12, 8), (2, 1, 8)]
