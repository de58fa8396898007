"""The module of `residual_uvit`."""

from __future__ import annotations

from sbicore_unet.blocks import ResidualBlock, Style
from torch import Tensor, nn

from .base import TransformerBackbone

__all__ = ["ResidualUViTModule"]


class ResidualUViTModule(TransformerBackbone):
    """`h + back(inner(below(h)) - below(h))` at each level, without links of blocks (arXiv:2410.19324).

    What is below a level changes it by as much as it changes its own input, and by nothing where it changes nothing.
    """

    def blocks(self, width: int, style: Style) -> tuple[list[nn.Module], list[nn.Module]]:
        """Those on the way up know only what their own level and what is below it say."""
        down = self.config.res_blocks_down
        up = self.config.res_blocks_up or down
        return (
            [ResidualBlock(width, width, style) for _ in range(down)],
            [ResidualBlock(width, width, style) for _ in range(up)],
        )

    def between(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        return self._level(0, h, embedded)

    def _level(self, number: int, h: Tensor, embedded: Tensor) -> Tensor:
        if number == len(self.levels):
            return self.transformed(h, embedded)
        level = self.levels[number]
        for block in level.down:
            h = self.run(block, h, embedded)
        given = level.below(h)
        if number == len(self.levels) - 1:
            given = self.positions(given)
        h = h + level.back(self._level(number + 1, given, embedded) - given, h.shape[2:])
        for block in level.up:
            h = self.run(block, h, embedded)
        return h
