"""Both networks keep the contract of inference networks."""

from sbicore_scoring import PointNetwork, ScoringRuleNetwork

from sbicore.testing import parametrize_conformance

CONFIGS = [
    ScoringRuleNetwork(),
    ScoringRuleNetwork(normal="mv_normal"),
    ScoringRuleNetwork(scoring_rules={"mean": "mean", "mix": {"name": "mixture", "components": 2}}),
    PointNetwork(),
    PointNetwork(["median", "quantiles"], q=[0.1, 0.5, 0.9]),
]


@parametrize_conformance(CONFIGS)
def test_conforms(component, check):
    check(component)
