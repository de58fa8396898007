"""The config of `stable_consistency_model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sbicore.config import InferenceNetworkConfig, Options, SubnetConfig, frozen
from sbicore.fields import component, integer, number
from sbicore.presets import Preset
from sbicore.references import Reference

from .options import DrawOptions

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .stable import StableConsistencyModule

__all__ = ["StableConsistencyModel", "StableDrawOptions"]


@frozen(kw_only=True)
class StableDrawOptions(DrawOptions):
    """Options of `sample`."""

    rho: float = number(3.5, gt=0.0, doc="How fast the times of further evaluations fall.")


@frozen(kw_only=True)
class StableConsistencyModel(InferenceNetworkConfig):
    """A consistency model of continuous time: no curriculum, and a learned weight of each time."""

    name: ClassVar[str] = "stable_consistency_model"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample"})
    compiles: ClassVar[bool] = False
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Lu, Cheng and Song, Yang",
            title="Simplifying, Stabilizing and Scaling Continuous-Time Consistency Models",
            year=2025,
            venue="International Conference on Learning Representations",
            arxiv="2410.11081",
        ),
    )
    sample_options: ClassVar[type[Options]] = StableDrawOptions
    presets: ClassVar[Mapping[str, Preset]] = {
        "large": Preset(
            simulations=100_000,
            network={"subnet_kwargs": {"gated": True}},
            fit={"steps": 8_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
    }

    subnet: SubnetConfig = component("subnet", "time_mlp", doc="Backbone.")
    weight_mlp: SubnetConfig = component(
        "subnet", {"name": "mlp", "widths": [64]}, doc="Of the learned weight of each time."
    )
    sigma: float = number(1.0, gt=0.0, doc="Standard deviation of the targets, which are standardised.")
    noise_dist_mean: float = number(-1.0, doc="Mean of the logarithm of the noise per signal in training.")
    noise_dist_std: float = number(1.4, gt=0.0, doc="Its standard deviation.")
    tangent_norm_eps: float = number(0.1, gt=0.0, doc="Keeps small tangents small when they are normalised.")
    warmup_steps: int | None = integer(
        None,
        ge=1,
        optional=True,
        doc="Training steps over which the tangent's unstable part comes in; by default half of the first fit.",
    )
    drop_cond_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a training row loses its conditions, for guidance_strength."
    )

    def build(self, shapes: Shapes) -> StableConsistencyModule:
        """The module."""
        from .stable import StableConsistencyModule

        return StableConsistencyModule(self, shapes)
