"""Flow matching keeps the contract of inference networks."""

from sbicore_flow_matching import FlowMatching

from sbicore.testing import parametrize_conformance

OTHER = FlowMatching(
    base_distribution="student_t",
    loss_fn="huber",
    integrate_kwargs={"steps": "adaptive", "rtol": 1e-3},
    time_power_law_alpha=-0.5,
    drop_cond_prob=0.1,
    drop_target_prob=0.2,
)
PAIRED = FlowMatching(use_optimal_transport=True)


@parametrize_conformance([FlowMatching(), OTHER, PAIRED])
def test_conforms(component, check):
    check(component)
