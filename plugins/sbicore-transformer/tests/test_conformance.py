"""`diffusion_transformer` keeps the contract of subnets."""

from sbicore_transformer import DiffusionTransformer

from sbicore.testing import parametrize_conformance

SMALL = {"width": 8, "depth": 2, "num_heads": 2}
OTHER = {"attention": "joint", "conditioning": "time_film", "value_embedding_dim": 0, "time_embedding_dim": 0}


@parametrize_conformance(
    [
        DiffusionTransformer(),
        DiffusionTransformer(**SMALL, condition_depth=0, dropout=0.2),
        DiffusionTransformer(**SMALL, **OTHER),
        DiffusionTransformer(**SMALL, **OTHER | {"attention": "cross"}, condition_depth=2, expansion_factor=0.5),
    ]
)
def test_conforms(component, check):
    check(component)
