"""The residual block, and what leads from one stage to the next."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from .config import ConvolutionalNetwork

__all__ = ["Halving", "PixelNorm", "ResidualBlock", "convolution", "normalisation"]

_ACTIVATIONS = {"mish": nn.Mish, "silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}
_GROUP = 8


class ResidualBlock(nn.Module):
    """`(R, W, h, w) -> (R, W, h, w)`: `x + branch(x)`, where the branch normalises before it convolves.

    The last convolution starts at zero, so a block starts as the identity. What x is in size goes past the
    normalisations (arXiv:1603.05027), as do pixels that the branch does not see yet.
    """

    def __init__(self, config: ConvolutionalNetwork, width: int) -> None:
        super().__init__()
        last = nn.Conv2d(width, width, config.kernel_size, padding="same")
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.branch = nn.Sequential(
            normalisation(config.norm, width),
            _ACTIVATIONS[config.activation](),
            nn.Conv2d(width, width, config.kernel_size, padding="same"),
            normalisation(config.norm, width),
            _ACTIVATIONS[config.activation](),
            nn.Dropout(config.dropout),
            last,
        )

    def forward(self, x: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        return x + self.branch(x)


class Halving(nn.Module):
    """`(R, V, h, w) -> (R, W, h / 2, w / 2)`, rounded up: the mean of 2 by 2 pixels, then a map of the channels.

    At an odd border the padding does not count: the mean is over the pixels that are there.
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.channels = convolution(width_in, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """A single pixel stays one."""
        return self.channels(avg_pool2d(x, 2, ceil_mode=True, count_include_pad=False))


class PixelNorm(nn.LayerNorm):
    """`(R, W, h, w) -> (R, W, h, w)`: mean 0 and variance 1 over the channels of each pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """In the memory format channels_last the two permutations copy nothing."""
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def normalisation(name: str | None, width: int) -> nn.Module:
    """The normalisation of this name; None changes nothing. A group has 8 channels or more, where there are as many."""
    if name is None:
        return nn.Identity()
    return PixelNorm(width) if name == "layer" else nn.GroupNorm(math.gcd(width, max(1, width // _GROUP)), width)


def convolution(width_in: int, width: int, kernel_size: int) -> nn.Conv2d:
    """A convolution with zeros around the image that starts by keeping the variance of its inputs."""
    made = nn.Conv2d(width_in, width, kernel_size, padding="same")
    nn.init.kaiming_normal_(made.weight, nonlinearity="linear")
    return made
