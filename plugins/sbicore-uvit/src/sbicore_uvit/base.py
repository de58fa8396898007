"""What `uvit` and `residual_uvit` have in common."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from sbicore_unet.blocks import Downsample, ImageBackbone, Stage, Style, Upsample, require_sides
from torch import Tensor, nn

from sbicore.shapes import Shapes

from .base_config import TransformerConfig
from .positions import Positions
from .transformer import TransformerBlock

__all__ = ["Level", "TransformerBackbone"]


class Level(nn.Module):
    """The parts of one resolution: blocks `down` and `up`, the way `below` and the way `back`.

    Args:
        down: blocks that keep the width.
        up: likewise.
        width: W.
        width_below: channels below.
        attends: whether each block is followed by attention.
        config: of the network.
        style: of the network.
    """

    down: Any
    up: Any

    def __init__(
        self,
        down: Iterable[nn.Module],
        up: Iterable[nn.Module],
        width: int,
        width_below: int,
        attends: bool,
        config: TransformerConfig,
        style: Style,
    ) -> None:
        super().__init__()
        heads = config.num_heads * attends
        self.down = nn.ModuleList(Stage(block, width, heads, style) for block in down)
        self.up = nn.ModuleList(Stage(block, width, heads, style) for block in up)
        self.below = Downsample(width, width_below, config.down_mode, style)
        self.back = Upsample(
            width_below, width, style, kernel_size=config.up_kernel_size, conv_first=config.up_conv_first
        )


class TransformerBackbone(ImageBackbone):
    """Levels and, behind the last, a transformer, which subclasses connect."""

    levels: Any

    def __init__(self, config: TransformerConfig, shapes: Shapes) -> None:
        require_sides(config, shapes, len(config.widths) - 1 + config.up_conv_first, "up_kernel_size")
        super().__init__(config, shapes)

    def make(self, config: TransformerConfig, style: Style) -> None:
        """All parts."""
        sizes = pairwise((*config.widths, config.transformer_width))
        self.levels = nn.ModuleList(
            Level(*self.blocks(width, style), width, below, attends, config, style)
            for (width, below), attends in zip(sizes, config.attends, strict=True)
        )
        self.positions = Positions(config.transformer_width, self.axes) if config.positions else nn.Identity()
        self.transformer = nn.ModuleList(TransformerBlock(config, style) for _ in range(config.transformer_blocks))

    def blocks(self, width: int, style: Style) -> tuple[list[nn.Module], list[nn.Module]]:
        """The blocks of a level, down and up."""
        raise NotImplementedError

    def transformed(self, h: Tensor, embedded: Tensor) -> Tensor:
        """What the transformer makes of pixels that know their places."""
        for block in self.transformer:
            h = self.run(block, h, embedded)
        return h
