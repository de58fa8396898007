"""A residual block with a link from the way down."""

from __future__ import annotations

import math

from sbicore_unet.blocks import ResidualBlock, Style
from torch import Tensor

__all__ = ["FusingBlock"]


class FusingBlock(ResidualBlock):
    """`h (N, V, *space), embedded (N or 1, E), link (N, V, *space) -> (N, W, *space)`.

    The branch starts with `(norm(h) + norm(link)) / sqrt(2)`; h itself goes past it.
    """

    def __init__(self, width_in: int, width: int, style: Style) -> None:
        super().__init__(width_in, width, style)
        self.link_norm = style.normalisation(width_in)

    def forward(self, h: Tensor, embedded: Tensor, link: Tensor) -> Tensor:  # type: ignore[override]
        """As many pixels as before."""
        norm, active, convolution = self.first
        fused = (norm(h) + self.link_norm(link)) / math.sqrt(2)
        return self.past(h) + self.second(self.film(self.norm(convolution(active(fused))), embedded))
