"""The kinds of component there are: one row each."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KINDS", "Kind", "kind_of"]


class Kind(NamedTuple):
    """One kind: its entry-point group, config base, protocol and public namespace."""

    name: str
    group: str
    base: str
    protocol: str
    namespace: str

    @property
    def a_title(self) -> str:
        """With its article."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.title}"

    @property
    def title(self) -> str:
        """The kind as it is written in a sentence."""
        return self.name.replace("_", " ")


KINDS = {
    row.name: row
    for row in (
        Kind(
            "inference_network", "sbicore.inference_networks", "InferenceNetworkConfig", "InferenceNetwork", "networks"
        ),
        Kind("subnet", "sbicore.subnets", "SubnetConfig", "Subnet", "networks"),
        Kind("summary_network", "sbicore.summary_networks", "SummaryNetworkConfig", "SummaryNetwork", "networks"),
        Kind("noise_schedule", "sbicore.noise_schedules", "NoiseScheduleConfig", "NoiseSchedule", "noise_schedules"),
        Kind("integrator", "sbicore.integrators", "IntegratorConfig", "Integrator", "integrators"),
        Kind("scoring_rule", "sbicore.scoring_rules", "ScoringRuleConfig", "ScoringRule", "scoring_rules"),
        Kind("distribution", "sbicore.distributions", "DistributionConfig", "Distribution", "distributions"),
        Kind("simulator", "sbicore.simulators", "SimulatorConfig", "Simulator", "simulators"),
    )
}


def kind_of(name: str) -> Kind:
    """The row of this kind.

    Raises:
        ConfigError: no such kind.
    """
    if name not in KINDS:
        from .errors import ConfigError

        raise ConfigError(f"There is no kind of component named {name!r}.\nKinds: {', '.join(KINDS)}")
    return KINDS[name]
