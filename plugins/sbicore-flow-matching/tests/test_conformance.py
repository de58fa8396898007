"""Flow matching keeps the contract of inference networks."""

import pytest
from sbicore_flow_matching import FlowMatching

from sbicore.testing import check_component

CONFIGS = [
    FlowMatching(),
    FlowMatching(
        base_distribution="student_t",
        loss_fn="huber",
        integrate_kwargs={"method": "rk4", "steps": 4},
        time_power_law_alpha=-0.5,
    ),
]


@pytest.mark.parametrize("config", CONFIGS, ids=repr)
def test_conformance(config):
    check_component(config)
