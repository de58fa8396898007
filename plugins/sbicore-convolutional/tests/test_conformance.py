"""The network keeps the contract of summary networks, however it normalises and pools."""

from sbicore_convolutional import ConvolutionalNetwork

from sbicore.testing import parametrize_conformance

CONFIGS = [
    ConvolutionalNetwork(),
    ConvolutionalNetwork(widths=[8, 12], norm="layer", pool="attention", activation="gelu", dropout=0.1),
    ConvolutionalNetwork(widths=[16, 16], norm=None, pool="max", blocks_per_stage=1, activation="relu"),
    ConvolutionalNetwork(widths=[6], kernel_size=5, pool="flatten", coordinates=False, activation="tanh"),
    ConvolutionalNetwork(widths=[2, 4, 6, 8, 10], kernel_size=1, blocks_per_stage=1, activation="silu"),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
