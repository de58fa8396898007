"""What the kit cannot know: that this is the network of the paper."""

import torch
from sbicore_sine import SineMLP

import sbicore
from sbicore.shapes import Shapes


def test_it_is_installed():
    assert "sine_mlp" in [row["name"] for row in sbicore.plugins("subnet")]


def test_one_layer_is_the_sine_of_a_linear_map():
    module = SineMLP(widths=[4], frequency=2.0).build(Shapes(target=(3,)))
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(1))
    expected = torch.sin(2.0 * (x @ module.from_x.weight.T + module.from_x.bias))
    torch.testing.assert_close(module(x), expected)


def test_arguments_of_deep_sines_have_variance_one():
    torch.manual_seed(1)
    module = SineMLP(widths=[256] * 4, frequency=30.0).build(Shapes(target=(1,)))
    arguments = []
    for layer in module.layers:
        layer.register_forward_hook(lambda layer, inputs, output: arguments.append(output))
    module(torch.linspace(-1, 1, 1000)[:, None])
    assert [round(float(value.var())) for value in arguments] == [1, 1, 1]
