"""The workflow for several networks that learn one posterior."""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError
from .basic import BasicWorkflow

__all__ = ["EnsembleWorkflow"]


class EnsembleWorkflow(BasicWorkflow):
    """Train several networks together, and draw from their mixture.

    Args:
        simulator, adapter, inference_network, summary_network: as in `BasicWorkflow`; every member has both networks
            to itself.
        ensemble_size: number of members, at least 2.
        **arguments: as in `BasicWorkflow`.
    """

    def __init__(
        self,
        simulator: Any = None,
        adapter: Any = None,
        inference_network: Any = "flow_matching",
        summary_network: Any = None,
        *,
        ensemble_size: int = 4,
        **arguments: Any,
    ) -> None:
        if "ensemble" in arguments:
            raise ConfigError("EnsembleWorkflow takes ensemble_size=..., not ensemble")
        if ensemble_size is None:
            raise ConfigError("ensemble_size takes a whole number of members, at least 2, got None")
        super().__init__(simulator, adapter, inference_network, summary_network, ensemble=ensemble_size, **arguments)
