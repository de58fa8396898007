"""The module of `uvit`."""

from __future__ import annotations

from sbicore_unet.blocks import ResidualBlock, Style
from torch import Tensor, nn

from .base import TransformerBackbone
from .fusing import FusingBlock

__all__ = ["UViTModule"]


class UViTModule(TransformerBackbone):
    """Each block on the way up is told what came out of one on the way down (arXiv:2301.11093, appendix B)."""

    def blocks(self, width: int, style: Style) -> tuple[list[nn.Module], list[nn.Module]]:
        """As many up as down."""
        count = self.config.res_blocks
        return (
            [ResidualBlock(width, width, style) for _ in range(count)],
            [FusingBlock(width, width, style) for _ in range(count)],
        )

    def between(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        links = []
        for level in self.levels:
            for block in level.down:
                h = self.run(block, h, embedded)
                links.append(h)
            h = level.below(h)
        h = self.transformed(self.positions(h), embedded)
        for level in reversed(self.levels):
            h = level.back(h, links[-1].shape[2:])
            for block in level.up:
                h = self.run(block, h, embedded, links.pop())
        return h
