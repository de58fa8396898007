"""The config of `consistency_model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sbicore.config import InferenceNetworkConfig, Options, SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import component, integer, number
from sbicore.presets import Preset
from sbicore.references import Reference

from .options import DrawOptions

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import ConsistencyModule

__all__ = ["ConsistencyModel"]


@frozen(kw_only=True)
class ConsistencyModel(InferenceNetworkConfig):
    """A network that leads from any point of a path of the probability flow to its end, in one evaluation."""

    name: ClassVar[str] = "consistency_model"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Song, Yang and Dhariwal, Prafulla and Chen, Mark and Sutskever, Ilya",
            title="Consistency Models",
            year=2023,
            venue="International Conference on Machine Learning",
            arxiv="2303.01469",
        ),
        Reference(
            authors="Song, Yang and Dhariwal, Prafulla",
            title="Improved Techniques for Training Consistency Models",
            year=2024,
            venue="International Conference on Learning Representations",
            arxiv="2310.14189",
        ),
    )
    sample_options: ClassVar[type[Options]] = DrawOptions
    presets: ClassVar[Mapping[str, Preset]] = {
        "large": Preset(
            simulations=100_000,
            network={"subnet_kwargs": {"gated": True}},
            fit={"steps": 8_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
    }

    total_steps: int | None = integer(
        None, ge=1, optional=True, doc="Training steps of the curriculum; by default those of the first fit."
    )
    subnet: SubnetConfig = component("subnet", "time_mlp", doc="Backbone.")
    max_time: float = number(80.0, gt=0.0, doc="Noise per signal where draws start.")
    sigma2: float = number(1.0, gt=0.0, doc="Variance of the targets, which are standardised.")
    eps: float = number(0.001, gt=0.0, doc="Noise per signal that counts as none.")
    s0: int = integer(10, ge=1, doc="Intervals of the noise levels at the start of training.")
    s1: int = integer(150, ge=1, doc="Intervals at its end.")
    rho: float = number(7.0, gt=0.0, doc="Exponent of the noise levels (arXiv:2206.00364, eq. 5).")
    noise_dist_mean: float = number(-1.1, doc="Mean of the logarithm of the noise in training.")
    noise_dist_std: float = number(2.0, gt=0.0, doc="Its standard deviation.")
    huber_c: float | None = number(
        None,
        gt=0.0,
        optional=True,
        doc="Width of the pseudo-Huber loss; None takes 0.3 over the root of the dimension, and from 556 values on "
        "what arXiv:2310.14189 does for images, 0.00054 times the root.",
    )
    drop_cond_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a training row loses its conditions, for guidance_strength."
    )

    def __attrs_post_init__(self) -> None:
        if self.eps >= self.max_time:
            raise ConfigError(f"eps={self.eps:g} must be below max_time={self.max_time:g}").within("eps")
        if self.s0 > self.s1:
            raise ConfigError(f"s0={self.s0} must not exceed s1={self.s1}\nGive them in this order.").within("s0")
        if self.total_steps is not None and self.total_steps < self.s0:
            raise ConfigError(
                f"total_steps={self.total_steps} is too short for a curriculum from s0={self.s0}\nTrain for longer."
            ).within("total_steps")

    def build(self, shapes: Shapes) -> ConsistencyModule:
        """The module."""
        from .module import ConsistencyModule

        return ConsistencyModule(self, shapes)
