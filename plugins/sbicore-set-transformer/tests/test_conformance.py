"""Both networks keep the contract of summary networks."""

from sbicore_set_transformer import DeepSet, SetTransformer

from sbicore.testing import parametrize_conformance

CONFIGS = [
    DeepSet(),
    DeepSet(embed_dim=8, mlp_widths=[16, 12], inner_pooling="max", num_heads=2, use_bias=True, activation="gelu"),
    DeepSet(embed_dim=8, depth=1, inner_pooling="min", num_heads=1, layer_norm=False, glu_variant="geglu"),
    DeepSet(embed_dim=8, inner_pooling="attention", num_seeds=2, seed_dim=3, dropout=0.5),
    SetTransformer(),
    SetTransformer(embed_dims=[8, 12], num_heads=[2, 3], use_bias=True, gate_attention=False, gate_ffn=False),
    SetTransformer(embed_dims=[8, 8], num_inducing_points=3, seed_dim=4, glu_variant="bilinear"),
    SetTransformer(embed_dims=[8], num_heads=[1], layer_norm=False, kernel_initializer="he_normal"),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
