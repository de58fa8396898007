"""The benchmark simulators as configs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SimulatorConfig, frozen

if TYPE_CHECKING:
    from .simulators.two_moons import TwoMoonsSimulator


@frozen(kw_only=True)
class TwoMoons(SimulatorConfig):
    """Two moons: two parameters, two observables, a crescent-shaped posterior with two modes.

    The published task T.8 (arXiv:2101.04653); its constants are part of the definition, so there are no
    hyperparameters. `build()` gives simulator, prior, likelihood and exact posterior.
    """

    name: ClassVar[str] = "two_moons"

    def build(self) -> TwoMoonsSimulator:
        """Make the simulator."""
        from .simulators.two_moons import TwoMoonsSimulator

        return TwoMoonsSimulator()
