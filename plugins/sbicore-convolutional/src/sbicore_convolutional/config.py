"""The config of `convolutional_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, integer, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import ConvolutionalNetworkModule

__all__ = ["ConvolutionalNetwork"]


@frozen(kw_only=True)
class ConvolutionalNetwork(SummaryNetworkConfig):
    """Stages of residual convolutions, each at half the resolution of the one before, pooled into a vector."""

    name: ClassVar[str] = "convolutional_network"
    layout: ClassVar[str] = "image"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian",
            title="Deep Residual Learning for Image Recognition",
            year=2016,
            venue="IEEE Conference on Computer Vision and Pattern Recognition",
            arxiv="1512.03385",
        ),
        Reference(
            authors=(
                "Liu, Rosanne and Lehman, Joel and Molino, Piero and Petroski Such, Felipe and Frank, Eric and "
                "Sergeev, Alex and Yosinski, Jason"
            ),
            title="An Intriguing Failing of Convolutional Neural Networks and the CoordConv Solution",
            year=2018,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1807.03247",
        ),
    )

    summary_dim: int = integer(16, ge=1, doc="Number of summaries.")
    widths: tuple[int, ...] = sizes((32, 64, 128), ge=2, doc="Channels of each stage.")
    kernel_size: int = integer(3, ge=1, doc="Pixels along each side of a kernel, an odd number.")
    blocks_per_stage: int = integer(2, ge=1, doc="Residual blocks of each stage.")
    norm: str | None = choice(
        "group",
        options=("layer", "group"),
        optional=True,
        doc="Normalisation in the blocks: over the channels of a pixel, or over groups of channels and all pixels.",
    )
    activation: str = choice("mish", options=("mish", "silu", "gelu", "relu", "tanh"), doc="Activation in the blocks.")
    dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability in each block.")
    pool: str = choice(
        "average",
        options=("average", "max", "attention", "flatten"),
        doc="How the pixels of the last stage become a vector; flatten keeps each, for images of one size.",
    )
    coordinates: bool = flag(True, doc="Whether each pixel's position is appended to its channels.")

    def __attrs_post_init__(self) -> None:
        if self.kernel_size % 2 == 0:
            raise ConfigError(f"must be odd, got {self.kernel_size}").within("kernel_size")

    def build(self, shapes: Shapes) -> ConvolutionalNetworkModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given.

        Raises:
            ShapeError: the target is not `(H, W, C)`.
        """
        from .module import ConvolutionalNetworkModule

        return ConvolutionalNetworkModule(self, shapes)
