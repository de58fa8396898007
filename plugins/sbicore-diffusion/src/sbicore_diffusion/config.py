"""The config of `diffusion_model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sbicore.config import InferenceNetworkConfig, NoiseScheduleConfig, Options, SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.field_options import CompositionOptions, DensityOptions, SampleOptions
from sbicore.fields import choice, component, flag, number, options
from sbicore.presets import Preset
from sbicore.references import Reference
from sbicore.solver import SolverOptions

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import DiffusionModule

__all__ = ["PREDICTIONS", "DiffusionModel"]

PREDICTIONS = ("F", "noise", "velocity", "x", "score", "potential")


@frozen(kw_only=True)
class DiffusionModel(InferenceNetworkConfig):
    """A network that tells signal from noise at every noise level, and draws by removing the noise."""

    name: ClassVar[str] = "diffusion_model"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob", "compositional_sample"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=(
                "Song, Yang and Sohl-Dickstein, Jascha and Kingma, Diederik P. and Kumar, Abhishek and "
                "Ermon, Stefano and Poole, Ben"
            ),
            title="Score-Based Generative Modeling through Stochastic Differential Equations",
            year=2021,
            venue="International Conference on Learning Representations",
            arxiv="2011.13456",
        ),
        Reference(
            authors="Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli",
            title="Elucidating the Design Space of Diffusion-Based Generative Models",
            year=2022,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2206.00364",
        ),
        Reference(
            authors="Kingma, Diederik P. and Gao, Ruiqi",
            title="Understanding Diffusion Objectives as the ELBO with Simple Data Augmentation",
            year=2023,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2303.00848",
        ),
        Reference(
            authors="Sharrock, Louis and Simons, Jack and Liu, Song and Beaumont, Mark",
            title="Sequential Neural Score Estimation: Likelihood-Free Inference with Conditional Score Based Models",
            year=2024,
            venue="International Conference on Machine Learning",
            arxiv="2210.04872",
        ),
    )
    sample_options: ClassVar[type[Options]] = SampleOptions
    log_prob_options: ClassVar[type[Options]] = DensityOptions
    compositional_sample_options: ClassVar[type[Options]] = CompositionOptions

    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            simulations=1_000,
            network={"subnet_kwargs": {"gated": True, "dropout": 0.1}},
            fit={"steps": 1_500, "batch_size": 128, "learning_rate": 1e-3},
        ),
        "base": Preset(
            simulations=10_000,
            network={"subnet_kwargs": {"dropout": 0.05}},
            fit={"steps": 4_000, "batch_size": 256, "learning_rate": 2e-3},
        ),
        "large": Preset(
            simulations=100_000,
            network={"subnet_kwargs": {"gated": True}},
            fit={"steps": 16_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
    }

    subnet: SubnetConfig = component("subnet", "time_mlp", doc="Backbone of the denoiser.")
    noise_schedule: NoiseScheduleConfig = component(
        "noise_schedule", "edm", doc="Noise levels of training, and the range of those in sampling."
    )
    prediction_type: str = choice(
        "F",
        options=PREDICTIONS,
        doc="What the network's output means; potential is a scalar whose gradient is the noise.",
    )
    loss_type: str = choice(
        "noise",
        options=("noise", "velocity", "F"),
        doc="Whose squared error is minimised; the schedule's weight goes with noise.",
    )
    antithetic: bool = flag(
        False,
        doc="Whether each training row is seen with a noise and its opposite: twice the time of a step, and less error "
        "where noise is small, which composition adds up.",
    )
    integrate_kwargs: SolverOptions = options(
        SolverOptions, doc="Defaults of the solver: method, steps, spacing, rtol, atol. Call arguments win."
    )
    drop_cond_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a training row loses its conditions, for guidance_strength."
    )
    drop_target_prob: float = number(
        0.0, ge=0.0, lt=1.0, doc="Probability that a coordinate of a training row is given, for sample(fixed=...)."
    )

    @classmethod
    def from_kwargs(cls, **kwargs: Any) -> DiffusionModel:
        """As usual; `schedule_kwargs` is another name of `noise_schedule_kwargs`."""
        if "schedule_kwargs" in kwargs and "noise_schedule_kwargs" not in kwargs:
            kwargs["noise_schedule_kwargs"] = kwargs.pop("schedule_kwargs")
        return super().from_kwargs(**kwargs)

    def __attrs_post_init__(self) -> None:
        weighting = getattr(self.noise_schedule, "weighting", None)
        if weighting is not None and self.loss_type != "noise":
            raise ConfigError(
                f"weighting={weighting!r} is of the loss on the noise, and loss_type is {self.loss_type!r}\n"
                "Leave the weighting out, or give loss_type='noise'."
            ).within("loss_type")

    @property
    def compiles(self) -> bool:  # type: ignore[override]
        """The gradient of a potential has no second derivative that torch.compile could capture."""
        return self.prediction_type != "potential"

    @property
    def sigma_data(self) -> float:
        """Standard deviation of the targets, as the schedule says it; by default 1."""
        found: Any = getattr(self.noise_schedule, "sigma_data", 1.0)
        return float(found)

    def build(self, shapes: Shapes) -> DiffusionModule:
        """The module."""
        from .module import DiffusionModule

        return DiffusionModule(self, shapes)
