"""What the configs of `uvit` and `residual_uvit` have in common."""

from __future__ import annotations

from sbicore_unet import ImageConfig

from sbicore.config import frozen
from sbicore.errors import ConfigError
from sbicore.fields import flag, flags, integer, number, sizes

__all__ = ["TransformerConfig"]


@frozen(kw_only=True)
class TransformerConfig(ImageConfig):
    """Residual convolutions around a transformer at the lowest resolution."""

    widths: tuple[int, ...] = sizes(
        (32, 64), ge=2, doc="Channels of each stage; what follows a stage has half its pixels."
    )
    attn_stage: tuple[bool, ...] | None = flags(
        None, optional=True, doc="Which stages attend, one flag for each; by default none."
    )
    transformer_blocks: int = integer(3, ge=1, doc="Blocks of the transformer behind the last stage.")
    transformer_width: int = integer(256, ge=2, doc="Its channels.")
    transformer_dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability in each of its blocks.")
    expansion_factor: float = number(4.0, gt=0.0, doc="Width of each of its hidden layers, in transformer_width.")
    positions: bool = flag(True, doc="Whether it is told where a pixel is; False for fields where no place is special.")
    up_kernel_size: int = integer(1, ge=1, doc="Pixels along each side of the kernels on the way up, an odd number.")
    up_conv_first: bool = flag(True, doc="Whether these come before a pixel is made two.")

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.up_kernel_size % 2 == 0:
            raise ConfigError(f"must be odd, got {self.up_kernel_size}").within("up_kernel_size")
        stages = zip(self.widths, self.attends, strict=False)
        attending = [*(width for width, attends in stages if attends), self.transformer_width]
        self.check_attention(self.attn_stage, len(self.widths), attending)

    @property
    def attends(self) -> tuple[bool, ...]:
        """Whether each stage attends."""
        return self.attn_stage or (False,) * len(self.widths)
