"""The config of `flow_matching`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sbicore.config import DistributionConfig, InferenceNetworkConfig, Options, SubnetConfig, frozen
from sbicore.fields import choice, component, integer, number, options
from sbicore.presets import Preset
from sbicore.references import Reference
from sbicore.solver import SolverOptions

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import FlowMatchingModule

__all__ = ["FlowMatching", "LogProbOptions"]


@frozen(kw_only=True)
class LogProbOptions(SolverOptions):
    """Options of `log_prob`."""

    hutchinson: int | None = integer(
        None,
        ge=1,
        optional=True,
        doc="Random probes that estimate the trace (arXiv:1810.01367); None computes it exactly.",
    )


@frozen(kw_only=True)
class FlowMatching(InferenceNetworkConfig):
    """A velocity field that carries noise to the posterior along straight paths."""

    name: ClassVar[str] = "flow_matching"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Lipman, Yaron and Chen, Ricky T. Q. and Ben-Hamu, Heli and Nickel, Maximilian and Le, Matt",
            title="Flow Matching for Generative Modeling",
            year=2023,
            venue="International Conference on Learning Representations",
            arxiv="2210.02747",
        ),
        Reference(
            authors=(
                "Wildberger, Jonas and Dax, Maximilian and Buchholz, Simon and Green, Stephen R. and "
                "Macke, Jakob H. and Schölkopf, Bernhard"
            ),
            title="Flow Matching for Scalable Simulation-Based Inference",
            year=2023,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2305.17161",
        ),
    )
    sample_options: ClassVar[type[Options]] = SolverOptions
    log_prob_options: ClassVar[type[Options]] = LogProbOptions
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            simulations=1_000,
            network={"time_power_law_alpha": -0.5, "subnet_kwargs": {"gated": True, "dropout": 0.1}},
            fit={"steps": 1_500, "batch_size": 128, "learning_rate": 1e-3},
        ),
        "base": Preset(
            simulations=10_000,
            network={"time_power_law_alpha": -0.5, "subnet_kwargs": {"dropout": 0.05}},
            fit={"steps": 4_000, "batch_size": 256, "learning_rate": 2e-3},
        ),
        "large": Preset(
            simulations=100_000,
            network={"time_power_law_alpha": -0.5, "subnet_kwargs": {"gated": True}},
            fit={"steps": 16_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
    }

    subnet: SubnetConfig = component("subnet", "time_mlp", doc="Backbone of the velocity field.")
    base_distribution: DistributionConfig = component("distribution", "normal", doc="Noise at t = 1.")
    loss_fn: str = choice(
        "mse", options=("mse", "huber"), doc="Regression loss on the velocity; huber has threshold 1."
    )
    integrate_kwargs: SolverOptions = options(
        SolverOptions, doc="Defaults of the solver: method, steps, spacing, rtol, atol. Call arguments win."
    )
    time_power_law_alpha: float = number(
        0.0, gt=-1.0, doc="Training times t = 1 - u^(1 + alpha), u uniform; below 0 favours the data end."
    )

    def build(self, shapes: Shapes) -> FlowMatchingModule:
        """The module."""
        from .module import FlowMatchingModule

        return FlowMatchingModule(self, shapes)
