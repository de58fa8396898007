"""The base of configs of image backbones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, integer, number

__all__ = ["ACTIVATIONS", "NORMS", "ImageConfig"]

ACTIVATIONS = ("silu", "gelu", "relu", "mish")
NORMS = ("group", "layer")


@frozen(kw_only=True)
class ImageConfig(SubnetConfig):
    """What backbones built of `sbicore_unet.blocks` have in common; `Style.of` reads most of it."""

    uses_time: ClassVar[str] = "required"
    layout: ClassVar[str] = "image"
    spatial_axes: ClassVar[tuple[int, ...]] = (1, 2, 3)
    takes_vectors: ClassVar[bool] = True

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

    def check_attention(self, attn_stage: tuple[bool, ...] | None, stages: int, attending: Iterable[int]) -> None:
        """Raise ConfigError unless there is one flag for each stage, and heads share the widths that attend."""
        if attn_stage is not None and len(attn_stage) != stages:
            raise ConfigError(f"has {len(attn_stage)} flags for {stages} stages\nGive one for each of widths.").within(
                "attn_stage"
            )
        for width in attending:
            if width % self.num_heads:
                raise ConfigError(
                    f"{self.num_heads} does not divide the width {width} of a stage that attends\n"
                    f"Give a divisor, or widths that are multiples of it."
                ).within("num_heads")
