"""The kinds of component there are: one row each."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["KINDS", "Kind", "kind_of"]


class Kind(NamedTuple):
    """One kind: its entry-point group, config base, protocol, public namespace, and shapes by layout."""

    name: str
    group: str
    base: str
    protocol: str
    namespace: str
    shapes: dict[str | None, str]

    def shapes_of(self, layout: str | None) -> str:
        """The contract of this kind in shapes: `*` are leading axes."""
        return self.shapes.get(layout) or next(iter(self.shapes.values()))

    @property
    def a_title(self) -> str:
        """With its article."""
        return f"{'an' if self.name[0] in 'aeiou' else 'a'} {self.title}"

    @property
    def title(self) -> str:
        """The kind as it is written in a sentence."""
        return self.name.replace("_", " ")


_NETWORK = (
    "loss(targets (B, *event), conditions (B, C)) -> (B,); "
    "sample((R, S), conditions (R, 1, C)) -> (R, S, *event); "
    "log_prob(targets (R, S, *event), conditions (R, 1, C)) -> (R, S)"
)
_SUBNET: dict[str | None, str] = {
    "vector": "(x (*, D), t (*), conditions (*, C)) -> (*, W)",
    "image": "(x (*, H, W, C), t (*), conditions (*, H, W, K)) -> (*, H, W, F)",
}
_SUMMARY: dict[str | None, str] = {
    "set": "(x (*, N, F), mask (*, N)) -> (*, S)",
    "series": "(x (*, N, F), mask (*, N)) -> (*, S)",
    "image": "(x (*, H, W, C)) -> (*, S)",
    "named": "(x {name: (*, *event)}, mask {name: (*, N)}) -> (*, S)",
}
_SCHEDULE = "log_snr(t (*)) -> (*); t_from_log_snr, derivative, loss_weight alike; alpha_sigma((*)) -> (*), (*)"
_INTEGRATOR = "integrate(field, x (R, ...), t0, t1) -> Solution of state (R, ...); field(t, x, rows) -> like x"
_RULE = "heads(event) -> shapes; link(raw) -> estimates; score(estimates (B, ...), targets (B, *event)) -> (B,)"
_DISTRIBUTION = "sample(shape (*, *event)) -> shape; log_prob(x (*, *event)) -> (*)"
_SIMULATOR = "sample(n, seed) -> {name: (n, *event)}"

KINDS = {
    row.name: row
    for row in (
        Kind(
            "inference_network",
            "sbicore.inference_networks",
            "InferenceNetworkConfig",
            "InferenceNetwork",
            "networks",
            {None: _NETWORK},
        ),
        Kind("subnet", "sbicore.subnets", "SubnetConfig", "Subnet", "networks", _SUBNET),
        Kind(
            "summary_network",
            "sbicore.summary_networks",
            "SummaryNetworkConfig",
            "SummaryNetwork",
            "networks",
            _SUMMARY,
        ),
        Kind(
            "noise_schedule",
            "sbicore.noise_schedules",
            "NoiseScheduleConfig",
            "NoiseSchedule",
            "noise_schedules",
            {None: _SCHEDULE},
        ),
        Kind("integrator", "sbicore.integrators", "IntegratorConfig", "Integrator", "integrators", {None: _INTEGRATOR}),
        Kind(
            "scoring_rule", "sbicore.scoring_rules", "ScoringRuleConfig", "ScoringRule", "scoring_rules", {None: _RULE}
        ),
        Kind(
            "distribution",
            "sbicore.distributions",
            "DistributionConfig",
            "Distribution",
            "distributions",
            {None: _DISTRIBUTION},
        ),
        Kind("simulator", "sbicore.simulators", "SimulatorConfig", "Simulator", "simulators", {None: _SIMULATOR}),
    )
}


def kind_of(name: str) -> Kind:
    """The row of this kind.

    Raises:
        ConfigError: no such kind.
    """
    if name not in KINDS:
        from ._messages import did_you_mean
        from .errors import ConfigError

        raise ConfigError(
            f"There is no kind of component named {name!r}{did_you_mean(name, KINDS)}\nKinds: {', '.join(KINDS)}"
        )
    return KINDS[name]
