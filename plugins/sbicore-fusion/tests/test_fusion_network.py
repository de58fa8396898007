"""What is special about the fusion of several variables: names, order, masks, the head, and what it refuses."""

from __future__ import annotations

import pytest
import torch
from sbicore_fusion import FusionNetwork
from sbicore_set_transformer import DeepSet
from torch import nn

import sbicore
from sbicore.errors import ConfigError, InvalidComponentError, UnknownComponentError
from sbicore.shapes import Shapes

SMALL = DeepSet(embed_dim=8, summary_dim=4)
SHAPES = Shapes(inputs={"x": (6, 2), "y": (5, 3)})


def build(shapes=SHAPES, **arguments):
    torch.manual_seed(0)
    return FusionNetwork(**{"backbones": {"x": SMALL, "y": SMALL}, **arguments}).build(shapes).eval()


def inputs(rows=3):
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(rows, *event, generator=generator) for name, event in SHAPES.inputs.items()}


def test_summaries_lie_side_by_side_in_the_order_of_names():
    module, given = build(), inputs()
    parts = [backbone(given[name]) for name, backbone in zip(("x", "y"), module.backbones, strict=True)]
    assert torch.equal(module(given), torch.cat(parts, -1))
    assert module.out_features == 8


def test_equal_configs_make_equal_modules():
    one, other = build(), build(backbones={"y": SMALL, "x": SMALL})
    assert one.config == other.config
    assert torch.equal(one(inputs()), other(inputs()))


def test_a_head_reads_all_summaries():
    module = build(head={"name": "mlp", "widths": [7]})
    assert module(inputs()).shape == (3, 7)
    assert build(head="mlp", head_kwargs={"widths": [7]})(inputs()).shape == (3, 7)
    before = module(inputs())
    for name, value in inputs().items():
        assert not torch.allclose(module({**inputs(), name: value + 1}), before)


@pytest.mark.parametrize("head", [None, "mlp"])
def test_the_width_may_be_asked_for(head):
    module = build(Shapes(inputs=SHAPES.inputs, output=5), head=head)
    assert module.out_features == 5 and module(inputs()).shape == (3, 5)


def test_order_and_padding_of_a_set_have_no_effect():
    module, given = build().double(), {name: value.double() for name, value in inputs().items()}
    before = module(given)
    shuffled = {name: value.flip(1) for name, value in given.items()}
    torch.testing.assert_close(module(shuffled), before, rtol=1e-6, atol=1e-6)
    longer = {**given, "y": torch.cat([given["y"], torch.full((3, 4, 3), torch.nan).double()], 1)}
    mask = {"y": torch.arange(9).expand(3, 9) < 5}
    torch.testing.assert_close(module(longer, mask), before, rtol=1e-6, atol=1e-6)


def test_a_plain_module_is_a_backbone():
    module = build(backbones={"x": SMALL, "y": nn.Sequential(nn.Flatten(-2), nn.Linear(15, 3))})
    assert module.out_features == 7 and module(inputs()).shape == (3, 7)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"backbones": {}}, ConfigError, r"must not be empty  @ \$\.backbones"),
        (
            {"backbones": ["deep_set"]},
            ConfigError,
            r"from each variable, got .*@ \$\.backbones\n.*: \{'variable': 'deep_set'\}",
        ),
        ({"backbones": "deep_set"}, ConfigError, r"got 'deep_set'  @ \$\.backbones\n"),
        ({"backbones": {"name": "deep_set"}}, ConfigError, "from each variable"),
        ({"backbones": {"x": "deep_sett"}}, UnknownComponentError, r"deep_set.*@ \$\.backbones\.x"),
        ({"backbones": {"x": "mlp"}}, UnknownComponentError, "no summary network named 'mlp'; 'mlp' is a subnet"),
        ({"backbones": {"x": 3}}, InvalidComponentError, r"got 3  @ \$\.backbones\.x"),
        ({"backbones": {"x": FusionNetwork(backbones={"y": SMALL})}}, ConfigError, r"@ \$\.backbones\.x"),
        ({"backbones": {"x": SMALL}, "head": "time_mlp"}, ConfigError, r"@ \$\.head"),
    ],
)
def test_what_cannot_be_is_refused(arguments, error, message):
    with pytest.raises(error) as caught:
        FusionNetwork(**arguments)
    assert caught.match("(?s)" + message)


def test_variables_and_backbones_go_together():
    with pytest.raises(ConfigError, match="the variables are x, z, and the backbones .* for x, y"):
        build(Shapes(inputs={"x": (6, 2), "z": (5, 3)}))
    module, given = build(), inputs()
    with pytest.raises(ConfigError, match="x are x, and the backbones"):
        module({"x": given["x"]})
    with pytest.raises(ConfigError, match="a mask of 'z', and no backbone"):
        module(given, {"z": torch.ones(3, 6, dtype=torch.bool)})
    with pytest.raises(ConfigError, match=r"'fusion_network' reads 'y', which summary_variables do not name"):
        sbicore.RatioApproximator(summary_network=module.config, summary_variables=["x"])


def test_errors_of_a_backbone_say_which():
    wrong = FusionNetwork(backbones={"x": sbicore.networks.TimeSeriesTransformer(time_axis=7)})
    with pytest.raises(ConfigError, match=r"\$\.backbones\.x\.time_axis"):
        wrong.build(Shapes(inputs={"x": (6, 2)}))


def test_the_saved_form_gives_the_same_config():
    config = FusionNetwork(backbones={"x": SMALL, "y": "set_transformer"}, head="mlp")
    assert sbicore.registry.configure(config.to_dict(), kind="summary_network") == config
