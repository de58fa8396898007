"""Presets: what a benchmark chose for a number of simulations, declared by an inference network.

presets: ClassVar[Mapping[str, Preset]] = {
    "small": Preset(simulations=1_000, network={"subnet_kwargs": {"dropout": 0.1}}, fit={"steps": 2_000}),
}

What a user says wins over the preset, one name at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._messages import did_you_mean, listing
from .config import Hyperparameters, InferenceNetworkConfig, frozen
from .errors import ConfigError
from .fields import integer, mapping

__all__ = ["Preset", "preset_for", "preset_of"]


@frozen(kw_only=True)
class Preset(Hyperparameters):
    """Hyperparameters of a network and options of `fit` for data of about this size."""

    simulations: int = integer(ge=1, doc="The number of simulations that it was chosen with.")
    network: Mapping[str, Any] = mapping({}, doc="Hyperparameters of the network.")
    fit: Mapping[str, Any] = mapping({}, doc="Options of `fit`.")

    def completed(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Hyperparameters of the network: `given`, and those of the preset that it does not decide.

        `<component>_kwargs` are joined; those of the preset are left out where `given` names the component.
        """
        decided = {f"{name}_kwargs" for name in given}
        chosen = {name: value for name, value in self.to_dict()["network"].items() if name not in decided}
        for name, value in given.items():
            both = name.endswith("_kwargs") and isinstance(chosen.get(name), Mapping) and isinstance(value, Mapping)
            chosen[name] = {**chosen[name], **value} if both else value
        return chosen


def preset_of(network: type[InferenceNetworkConfig] | InferenceNetworkConfig, name: str) -> Preset:
    """The preset of this name.

    Raises:
        ConfigError: the network has none of this name.
    """
    if not isinstance(name, str) or name not in network.presets:
        offer = f"It has: {listing(network.presets)}" if network.presets else "It has no presets; leave preset= out."
        raise ConfigError(f"{network.name!r} has no preset {name!r}{did_you_mean(name, network.presets)}\n{offer}")
    return network.presets[name]


def preset_for(network: type[InferenceNetworkConfig] | InferenceNetworkConfig, simulations: int) -> str | None:
    """The preset chosen with the nearest number of simulations, by ratio; None where there are no presets."""
    if not network.presets:
        return None

    def distance(name: str) -> float:
        chosen = network.presets[name].simulations
        return max(chosen / simulations, simulations / chosen)

    return min(network.presets, key=distance)
