"""The residual block."""

from __future__ import annotations

from torch import Tensor, nn

from .film import Film
from .style import Style

__all__ = ["ResidualBlock"]


class ResidualBlock(nn.Module):
    """`h (N, V, *space), embedded (N or 1, E) -> (N, W, *space)`: h, mapped where V is not W, and a branch.

    The branch is norm, activation, convolution, norm, `Film`, activation, dropout, convolution. Its last convolution
    starts at zero, so that a block starts as a linear map.
    """

    def __init__(self, width_in: int, width: int, style: Style) -> None:
        super().__init__()
        self.past = style.convolution(width_in, width, 1) if width_in != width else nn.Identity()
        self.first = nn.Sequential(style.normalisation(width_in), style.active(), style.convolution(width_in, width))
        self.norm = style.normalisation(width)
        self.film = Film(width, style)
        self.second = nn.Sequential(
            style.active(), nn.Dropout(style.dropout), style.convolution(width, width, zero=True)
        )

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many pixels as before."""
        return self.past(h) + self.second(self.film(self.norm(self.first(h)), embedded))
