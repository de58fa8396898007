"""The config of `flow_matching`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sbicore.config import DistributionConfig, InferenceNetworkConfig, Options, SubnetConfig, frozen, parts_of
from sbicore.errors import ConfigError
from sbicore.field_options import CompositionOptions, DensityOptions, SampleOptions
from sbicore.fields import choice, component, flag, number, options
from sbicore.presets import Preset
from sbicore.references import Reference
from sbicore.solver import SolverOptions

from .transport_options import TransportOptions

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import FlowMatchingModule

__all__ = ["FlowMatching"]


@frozen(kw_only=True)
class FlowMatching(InferenceNetworkConfig):
    """A velocity field that carries noise to the posterior along straight paths."""

    name: ClassVar[str] = "flow_matching"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob", "compositional_sample"})
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
        Reference(
            authors=(
                "Tong, Alexander and Fatras, Kilian and Malkin, Nikolay and Huguet, Guillaume and Zhang, Yanlei and "
                "Rector-Brooks, Jarrid and Wolf, Guy and Bengio, Yoshua"
            ),
            title=("Improving and Generalizing Flow-Based Generative Models with Minibatch Optimal Transport"),
            year=2024,
            venue="Transactions on Machine Learning Research",
            arxiv="2302.00482",
        ),
        Reference(
            authors="Cheng, Ho Kei and Schwing, Alexander",
            title=(
                "The Curse of Conditions: Analyzing and Improving Optimal Transport for Conditional Flow-Based "
                "Generation"
            ),
            year=2025,
            arxiv="2503.10636",
        ),
        Reference(
            authors="Ho, Jonathan and Salimans, Tim",
            title="Classifier-Free Diffusion Guidance",
            year=2022,
            arxiv="2207.12598",
        ),
    )
    sample_options: ClassVar[type[Options]] = SampleOptions
    log_prob_options: ClassVar[type[Options]] = DensityOptions
    compositional_sample_options: ClassVar[type[Options]] = CompositionOptions
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
    use_optimal_transport: bool = flag(
        False, doc="Pair noise with data by optimal transport within each batch; paths become straighter."
    )
    optimal_transport_kwargs: TransportOptions = options(
        TransportOptions, doc="How: method, block_size, condition_ratio, partial_factor, regularization, max_steps."
    )
    loss_fn: str = choice(
        "mse", options=("mse", "huber"), doc="Regression loss on the velocity; huber is linear beyond errors of 10."
    )
    integrate_kwargs: SolverOptions = options(
        SolverOptions, doc="Defaults of the solver: method, steps, spacing, rtol, atol. Call arguments win."
    )
    time_power_law_alpha: float = number(
        0.0, gt=-1.0, doc="Training times t = 1 - u^(1 + alpha), u uniform; below 0 favours the data end."
    )
    drop_cond_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a training row loses its conditions, for guidance_strength."
    )
    drop_target_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a coordinate of a training row is given, for sample(fixed=...)."
    )

    def __attrs_post_init__(self) -> None:
        for part in parts_of(self.base_distribution):
            if getattr(part, "trainable", False):
                raise ConfigError(
                    f"{part.name!r} with trainable=True would shrink, since that lowers the loss on the velocity\n"
                    "Leave trainable out, or train a coupling_flow."
                ).within("base_distribution")
            if getattr(part, "df", math.inf) <= 2:
                raise ConfigError(
                    f"a base with df={part.df:g} has no variance, and the loss on the velocity no mean\n"  # type: ignore[attr-defined]
                    "Give df above 2, or train a coupling_flow."
                ).within("base_distribution")
        if not self.use_optimal_transport and self.optimal_transport_kwargs != TransportOptions():
            raise ConfigError(
                "optimal_transport_kwargs say how, but use_optimal_transport is False\n"
                "Give use_optimal_transport=True, too."
            ).within("optimal_transport_kwargs")
        if self.drop_target_prob and self.use_optimal_transport:
            raise ConfigError(
                "optimal transport pairs noise with all targets, and those that are given must not decide on it\n"
                "Leave use_optimal_transport or drop_target_prob out."
            ).within("drop_target_prob")

    @property
    def couples_rows(self) -> str:
        """Pairing noise by rows of equal weight would bias rows of different weight."""
        return "use_optimal_transport=True" if self.use_optimal_transport else ""

    def build(self, shapes: Shapes) -> FlowMatchingModule:
        """The module."""
        from .module import FlowMatchingModule

        return FlowMatchingModule(self, shapes)
