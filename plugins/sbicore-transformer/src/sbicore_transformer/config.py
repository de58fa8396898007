"""The config of `diffusion_transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, integer, number
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import DiffusionTransformerModule

__all__ = ["DiffusionTransformer"]


@frozen(kw_only=True)
class DiffusionTransformer(SubnetConfig):
    """A transformer with a token for each target and each condition, modulated by time and conditions."""

    name: ClassVar[str] = "diffusion_transformer"
    uses_time: ClassVar[str] = "required"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Peebles, William and Xie, Saining",
            title="Scalable Diffusion Models with Transformers",
            year=2022,
            arxiv="2212.09748",
        ),
        Reference(
            authors="Gloeckler, Manuel and Deistler, Michael and Weilbach, Christian and Wood, Frank "
            "and Macke, Jakob H.",
            title="All-in-one simulation-based inference",
            year=2024,
            arxiv="2404.09636",
        ),
        Reference(
            authors="Ye, Hu and Zhang, Jun and Liu, Sibo and Han, Xiao and Yang, Wei",
            title="IP-Adapter: Text Compatible Image Prompt Adapter for Text-to-Image Diffusion Models",
            year=2023,
            arxiv="2308.06721",
        ),
        Reference(
            authors="Tancik, Matthew and Srinivasan, Pratul P. and Mildenhall, Ben and Fridovich-Keil, Sara "
            "and Raghavan, Nithin and Singhal, Utkarsh and Ramamoorthi, Ravi and Barron, Jonathan T. and Ng, Ren",
            title="Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
            year=2020,
            arxiv="2006.10739",
        ),
    )

    width: int = integer(64, ge=1, doc="Width of a token, a multiple of num_heads.")
    depth: int = integer(5, ge=1, doc="Number of blocks.")
    num_heads: int = integer(4, ge=1, doc="Heads of each attention.")
    expansion_factor: float = number(4.0, gt=0.0, doc="Width of each block's hidden layer, in widths of a token.")
    attention: str = choice(
        "cross",
        options=("cross", "joint"),
        doc="Whether targets attend to each other and to the conditions, or all tokens attend to all.",
    )
    condition_depth: int = integer(
        1, ge=0, doc="Further blocks, in which the conditions attend to each other before anything attends to them."
    )
    conditioning: str = choice(
        "film",
        options=("film", "time_film"),
        doc="What scales, shifts and gates the layers, beside attention: time and conditions, or time alone.",
    )
    value_embedding_dim: int = integer(
        16, ge=0, multiple_of=2, doc="Fourier features of each value beside the value itself, an even number."
    )
    value_scale: float = number(
        1.0, gt=0.0, doc="Standard deviation of their initial frequencies, in cycles per unit (a standard deviation)."
    )
    time_embedding_dim: int = integer(
        32, ge=0, multiple_of=2, doc="Fourier features of the time beside the time itself, an even number."
    )
    fourier_scale: float = number(
        1.0, gt=0.0, doc="Standard deviation of their initial frequencies, in cycles per unit of time."
    )
    activation: str = choice("silu", options=("silu", "gelu", "relu"), doc="Activation of every hidden layer.")
    dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability at the end of each attention and layer.")

    def __attrs_post_init__(self) -> None:
        if self.width % self.num_heads:
            raise ConfigError(
                f"must be a multiple of num_heads, {self.num_heads}; got {self.width}\n"
                f"The next one: width={-(-self.width // self.num_heads) * self.num_heads}"
            ).within("width")

    def build(self, shapes: Shapes) -> DiffusionTransformerModule:
        """The module; its `out_features` is `D * width` unless `shapes.output` is given."""
        from .module import DiffusionTransformerModule

        return DiffusionTransformerModule(self, shapes)
