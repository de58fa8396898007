"""The config of `unet`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import frozen
from sbicore.fields import flags, integer, sizes
from sbicore.references import Reference

from .image_config import ImageConfig

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import UNetModule

__all__ = ["UNet"]


@frozen(kw_only=True)
class UNet(ImageConfig):
    """Residual convolutions at falling and then rising resolution, with a link across at each."""

    name: ClassVar[str] = "unet"
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

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        stages = zip((*self.widths, self.widths[-1]), (*self.attends, True), strict=False)
        self.check_attention(self.attn_stage, len(self.widths), [width for width, attends in stages if attends])

    @property
    def attends(self) -> tuple[bool, ...]:
        """Whether each stage attends."""
        return self.attn_stage or (*[False] * (len(self.widths) - 1), True)

    def build(self, shapes: Shapes) -> UNetModule:
        """The module; its `out_features` is twice the first width unless `shapes.output` is given."""
        from .module import UNetModule

        return UNetModule(self, shapes)
