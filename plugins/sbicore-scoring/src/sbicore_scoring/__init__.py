"""Networks of scoring rules: `scoring_rule_network` and `point_network`."""

from .point_network import PointNetwork
from .scoring_rule_network import ScoringRuleNetwork

__all__ = ["PointNetwork", "ScoringRuleNetwork"]
