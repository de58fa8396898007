"""Both perceptrons keep the contract of subnets."""

import pytest
from sbicore_mlp import MLP, TimeMLP

from sbicore.testing import check_component

CONFIGS = [
    MLP(),
    MLP(widths=[8], activation="tanh", residual=False, norm="rms", dropout=0.5),
    TimeMLP(),
    TimeMLP(widths=[8, 16], conditioning="film", norm=None, residual=False),
    TimeMLP(widths=[8, 16, 16], conditioning="concat", norm="rms", time_embedding_dim=1),
]


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_conformance(config):
    check_component(config)
