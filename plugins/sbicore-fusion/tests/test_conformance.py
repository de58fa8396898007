"""Both networks keep the contract of summary networks."""

from sbicore_convolutional import ConvolutionalNetwork
from sbicore_fusion import FusionNetwork, FusionTransformer
from sbicore_set_transformer import DeepSet
from sbicore_time_series import TimeSeriesNetwork, TimeSeriesTransformer

from sbicore.testing import parametrize_conformance

SMALL = {"embed_dims": [8, 8], "num_heads": [2, 2]}
CONFIGS = [
    FusionNetwork(
        backbones={
            "trials": DeepSet(embed_dim=8, mlp_widths=[8]),
            "map.1": ConvolutionalNetwork(widths=[8], blocks_per_stage=1),
            "trace": TimeSeriesTransformer(**SMALL),
        }
    ),
    FusionNetwork(backbones={"one": TimeSeriesNetwork(recurrent_dim=8)}),
    FusionNetwork(backbones={"b": DeepSet(embed_dim=8), "a": DeepSet(embed_dim=8)}, head="mlp"),
    FusionTransformer(),
    FusionTransformer(embed_dims=[8, 12], num_heads=[2, 3], template_dim=6, template_type="lstm", activation="silu"),
    FusionTransformer(embed_dims=[8], num_heads=[1], template_dim=8, bidirectional=False),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
