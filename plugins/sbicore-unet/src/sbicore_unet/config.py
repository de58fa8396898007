"""The config of `unet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, flags, integer, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import UNetModule

__all__ = ["ACTIVATIONS", "NORMS", "UNet"]

ACTIVATIONS = ("silu", "gelu", "relu", "mish")
NORMS = ("group", "layer")


@frozen(kw_only=True)
class UNet(SubnetConfig):
    """Residual convolutions at falling and then rising resolution, with a link across at each."""

    name: ClassVar[str] = "unet"
    uses_time: ClassVar[str] = "required"
    layout: ClassVar[str] = "image"
    spatial_axes: ClassVar[tuple[int, ...]] = (1, 2, 3)
    takes_vectors: ClassVar[bool] = True
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Ronneberger, Olaf and Fischer, Philipp and Brox, Thomas",
            title="U-Net: Convolutional Networks for Biomedical Image Segmentation",
            year=2015,
            venue="Medical Image Computing and Computer-Assisted Intervention",
            arxiv="1505.04597",
        ),
        Reference(
            authors="Ho, Jonathan and Jain, Ajay and Abbeel, Pieter",
            title="Denoising Diffusion Probabilistic Models",
            year=2020,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2006.11239",
        ),
    )

    widths: tuple[int, ...] = sizes(
        (32, 64, 128), ge=2, doc="Channels of each stage; each next one has half the pixels."
    )
    res_blocks: int = integer(2, ge=1, doc="Residual blocks of each stage; on the way up there is one more.")
    attn_stage: tuple[bool, ...] | None = flags(
        None, optional=True, doc="Which stages attend, one flag for each; by default the last alone."
    )
    num_heads: int = integer(4, ge=1, doc="Heads of each attention.")
    time_emb_dim: int = integer(32, ge=2, multiple_of=2, doc="Sines and cosines of the time, an even number.")
    use_film: bool = flag(True, doc="Whether time scales as well as shifts.")
    kernel_size: int = integer(3, ge=1, doc="Pixels along each side of a kernel, an odd number.")
    padding: str = choice(
        "zeros", options=("zeros", "circular"), doc="What is beyond the border: nothing, or the opposite side."
    )
    activation: str = choice("silu", options=ACTIVATIONS, doc="Activation in the blocks.")
    norm: str | None = choice(
        "group",
        options=NORMS,
        optional=True,
        doc="Normalisation in the blocks: over groups of channels and all pixels, or over the channels of a pixel.",
    )
    groups: int = integer(8, ge=1, doc="Groups of channels at most; a group has four channels or more.")
    dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability in each residual block.")
    down_mode: str = choice(
        "average", options=("average", "conv"), doc="How resolution is halved: means of pixels, or strides."
    )
    checkpointing: bool = flag(False, doc="Whether training computes blocks twice, to hold less in memory.")
    precision: str = choice(
        "float32",
        options=("float32", "bfloat16"),
        doc="Of products in training and drawing; bfloat16 has three digits.",
    )

    def __attrs_post_init__(self) -> None:
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"must be odd, got {self.kernel_size}").within("kernel_size")
        if self.attn_stage is not None and len(self.attn_stage) != len(self.widths):
            raise ConfigError(
                f"has {len(self.attn_stage)} flags for {len(self.widths)} stages\nGive one for each of widths."
            ).within("attn_stage")
        for width, attends in zip((*self.widths, self.widths[-1]), (*self.attends, True), strict=True):
            if attends and width % self.num_heads:
                raise ConfigError(
                    f"{self.num_heads} does not divide the width {width} of a stage that attends\n"
                    f"Give a divisor, or widths that are multiples of it."
                ).within("num_heads")

    @property
    def attends(self) -> tuple[bool, ...]:
        """Whether each stage attends."""
        return self.attn_stage or (*[False] * (len(self.widths) - 1), True)

    def build(self, shapes: Shapes) -> UNetModule:
        """The module; its `out_features` is twice the first width unless `shapes.output` is given."""
        from .module import UNetModule

        return UNetModule(self, shapes)
