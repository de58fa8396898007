"""The config of `coupling_flow`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sbicore.config import DistributionConfig, InferenceNetworkConfig, Options, SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, component, flag, integer, mapping
from sbicore.presets import Preset
from sbicore.references import Reference

from .transform_options import TRANSFORMS

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import CouplingFlowModule

__all__ = ["CouplingFlow", "SampleOptions"]


@frozen(kw_only=True)
class SampleOptions(Options):
    """Options of `sample`."""

    precision: str = choice(
        "float32", options=("float32", "bfloat16"), doc="Of the subnets' matrix products; bfloat16 has three digits."
    )


@frozen(kw_only=True)
class CouplingFlow(InferenceNetworkConfig):
    """A stack of invertible couplings between the posterior and a base: one pass a draw, exact densities."""

    name: ClassVar[str] = "coupling_flow"
    capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Dinh, Laurent and Sohl-Dickstein, Jascha and Bengio, Samy",
            title="Density Estimation using Real NVP",
            year=2017,
            venue="International Conference on Learning Representations",
            arxiv="1605.08803",
        ),
        Reference(
            authors="Durkan, Conor and Bekasov, Artur and Murray, Iain and Papamakarios, George",
            title="Neural Spline Flows",
            year=2019,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1906.04032",
        ),
        Reference(
            authors="Kingma, Diederik P. and Dhariwal, Prafulla",
            title="Glow: Generative Flow with Invertible 1x1 Convolutions",
            year=2018,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1807.03039",
        ),
        Reference(
            authors="Radev, Stefan T. and Mertens, Ulf K. and Voss, Andreas and Ardizzone, Lynton and Köthe, Ullrich",
            title="BayesFlow: Learning Complex Stochastic Models with Invertible Neural Networks",
            year=2022,
            venue="IEEE Transactions on Neural Networks and Learning Systems",
            arxiv="2003.06281",
        ),
    )

    sample_options: ClassVar[type[Options]] = SampleOptions
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            simulations=1_000,
            network={"transform": "spline", "subnet_kwargs": {"widths": (64, 64), "dropout": 0.1}},
            fit={"steps": 1_200, "batch_size": 128, "learning_rate": 1e-3},
        ),
        "base": Preset(
            simulations=10_000,
            network={"transform": "spline", "subnet_kwargs": {"dropout": 0.1}},
            fit={"steps": 3_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
        "large": Preset(
            simulations=100_000,
            network={"transform": "spline", "subnet_kwargs": {"widths": (128, 128, 128)}},
            fit={"steps": 8_000, "batch_size": 256, "learning_rate": 1e-3},
        ),
    }

    subnet: SubnetConfig = component(
        "subnet", {"name": "mlp", "widths": (128, 128)}, doc="Backbone of each coupling, which has its own copy."
    )
    depth: int = integer(
        6, ge=1, doc="Number of dual couplings: both halves of the coordinates are transformed in each."
    )
    transform: str = choice("affine", options=tuple(TRANSFORMS), doc="What a coupling does to each coordinate.")
    transform_kwargs: Mapping[str, object] | None = mapping(
        None,
        optional=True,
        doc="Of affine: clamp; of spline: bins, default_domain, min_width, min_height, min_bin_width, min_bin_height.",
    )
    permutation: str | None = choice(
        "random",
        options=("random", "swap", "orthogonal"),
        optional=True,
        doc="What mixes coordinates before each coupling; orthogonal is trained.",
    )
    use_actnorm: bool = flag(True, doc="Whether each coupling's inputs are normalised, as the first batch says.")
    base_distribution: DistributionConfig = component("distribution", "normal", doc="What the flow maps to.")

    def __attrs_post_init__(self) -> None:
        self.transform_options()

    def transform_options(self) -> Options:
        """The options of the chosen transform, checked.

        Raises:
            ConfigError: `transform_kwargs` holds what this transform has not.
        """
        try:
            return TRANSFORMS[self.transform](**(self.transform_kwargs or {}))
        except ConfigError as error:
            raise error.within("transform_kwargs") from None

    def build(self, shapes: Shapes) -> CouplingFlowModule:
        """The module."""
        from .module import CouplingFlowModule

        return CouplingFlowModule(self, shapes)
