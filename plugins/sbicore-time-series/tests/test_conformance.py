"""Both networks keep the contract of summary networks."""

from sbicore_time_series import TimeSeriesNetwork, TimeSeriesTransformer

from sbicore.testing import parametrize_conformance

CONFIGS = [
    TimeSeriesNetwork(),
    TimeSeriesNetwork(recurrent_dim=8, recurrent_type="lstm", bidirectional=False, skip_steps=2, activation="silu"),
    TimeSeriesNetwork(filters=[8, 8], kernel_sizes=[4, 2], strides=[2, 2], recurrent_dim=8, skip_steps=None),
    TimeSeriesNetwork(filters=[8, 8], kernel_sizes=[3, 3], strides=[3, 1], recurrent_dim=8, skip_steps=None),
    TimeSeriesTransformer(),
    TimeSeriesTransformer(embed_dims=[8], num_heads=[1], time_embedding=None),
    TimeSeriesTransformer(embed_dims=[8, 12], num_heads=[2, 3], time_axis=0, activation="silu", time_embed_dim=1),
    TimeSeriesTransformer(embed_dims=[8, 8, 8], num_heads=[2, 2, 2], time_axis=-1, expansion_factor=0.5),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
