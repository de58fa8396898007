"""Both perceptrons keep the contract of subnets."""

from sbicore_mlp import MLP, TimeMLP

from sbicore.testing import parametrize_conformance

CONFIGS = [
    MLP(),
    MLP(widths=[8], activation="tanh", residual=False, norm="rms", dropout=0.5),
    TimeMLP(),
    TimeMLP(widths=[8, 16], conditioning="film", norm=None, residual=False),
    TimeMLP(widths=[8, 16], gated=True, dropout=0.1),
    MLP(widths=[8, 16], gated=True),
    TimeMLP(widths=[8, 16, 16], conditioning="concat", norm="rms", time_embedding_dim=1),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
