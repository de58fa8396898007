"""Half the resolution, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, avg_pool2d, avg_pool3d, interpolate

from .style import CONVOLUTIONS, Style

__all__ = ["Downsample", "Upsample"]

_POOLS: dict[int, Any] = {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d}


class Downsample(nn.Module):
    """`(N, V, *space) -> (N, W, *half)`, halves rounded up, so that a single pixel stays one.

    Args:
        width_in: V.
        width: W.
        mode: `average`, means of two pixels along each axis and a map of their channels; or `conv`, every second
            value of a convolution. At an odd border the mean is over the pixels that are there.
        style: of the network.
    """

    def __init__(self, width_in: int, width: int, mode: str, style: Style) -> None:
        super().__init__()
        if mode == "average":
            self.layers = nn.Sequential(_Means(), style.convolution(width_in, width, 1))
        else:
            self.layers = nn.Sequential(
                CONVOLUTIONS[style.axes](width_in, width, 3, stride=2, padding=1, padding_mode=style.padding)
            )

    def forward(self, h: Tensor) -> Tensor:
        """Any number of pixels."""
        return self.layers(h)


class _Means(nn.Module):
    """Of two pixels along each axis; where there is but one, it stays."""

    def forward(self, h: Tensor) -> Tensor:
        found: Tensor = _POOLS[h.ndim - 2](
            h, [min(2, side) for side in h.shape[2:]], ceil_mode=True, count_include_pad=False
        )
        return found


class Upsample(nn.Module):
    """`(N, V, *half) -> (N, W, *space)`: each pixel twice along each axis, and a convolution.

    Args:
        width_in: V.
        width: W.
        style: of the network.
        kernel_size: of the convolution, by default that of the style.
        conv_first: whether it comes before, at the lower resolution.
    """

    def __init__(
        self, width_in: int, width: int, style: Style, *, kernel_size: int | None = None, conv_first: bool = False
    ) -> None:
        super().__init__()
        self.convolution = style.convolution(width_in, width, kernel_size)
        self.conv_first = conv_first

    def forward(self, h: Tensor, size: Sequence[int]) -> Tensor:
        """To `size` pixels, twice as many or one less; nearest neighbours leave what is too much away."""
        if self.conv_first:
            h = self.convolution(h)
        h = interpolate(h, size=tuple(size), mode="nearest")
        return h if self.conv_first else self.convolution(h)
