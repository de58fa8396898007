"""The module of `convolutional_network`."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import Tensor, nn

from sbicore.errors import ShapeError
from sbicore.shapes import Shapes

from .block import Halving, ResidualBlock, convolution
from .config import ConvolutionalNetwork
from .pooling import pooling

__all__ = ["ConvolutionalNetworkModule", "with_coordinates"]


class ConvolutionalNetworkModule(nn.Module):
    """`x (*, H, W, C) -> (*, S)`.

    It starts as a linear map of the image, followed by the pooling: residual branches start at zero.
    """

    def __init__(self, config: ConvolutionalNetwork, shapes: Shapes) -> None:
        super().__init__()
        if len(shapes.target) != 3:
            raise ShapeError(
                f"{config.name!r} takes images (H, W, C); these have the shape {shapes.target}.\n"
                "An image without channels needs an axis for them: (H, W, 1).",
                expected=("H", "W", "C"),
                got=shapes.target,
            )
        self.config = config
        height, width, channels = shapes.target
        self.size = (height, width)
        widths = config.widths
        stem = convolution(channels + 2 * config.coordinates, widths[0], config.kernel_size)
        layers = [stem, *_blocks(config, widths[0])]
        for before, after in pairwise(widths):
            layers += [Halving(before, after), *_blocks(config, after)]
        self.layers = nn.Sequential(*layers)
        step = 2 ** (len(widths) - 1)
        self.pool, features = pooling(config.pool, widths[-1], [-(-side // step) for side in self.size])
        self.out_features = shapes.output or config.summary_dim
        self.out = nn.Linear(features, self.out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Images of any size, but for `pool="flatten"`.

        Raises:
            ShapeError: an image of another size than built for, where its pixels are flattened.
        """
        lead, (height, width, channels) = x.shape[:-3], x.shape[-3:]
        if self.config.pool == "flatten" and (height, width) != self.size:
            raise ShapeError(
                f"This network flattens images of {self.size[0]} x {self.size[1]} pixels; got {height} x {width}.\n"
                "For images of several sizes choose: pool='average', 'max' or 'attention'",
                expected=self.size,
                got=(height, width),
            )
        h = x.reshape(math.prod(lead), height, width, channels)
        if self.config.coordinates:
            h = with_coordinates(h)
        h = h.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
        return self.out(self.pool(self.layers(h))).reshape(*lead, self.out_features)


def with_coordinates(x: Tensor) -> Tensor:
    """`(R, H, W, C) -> (R, H, W, C + 2)`: row and column of each pixel's centre, from -1 to 1 at the image's edges."""
    rows, height, width, _ = x.shape
    centres = [(2 * torch.arange(size, dtype=x.dtype, device=x.device) + 1) / size - 1 for size in (height, width)]
    grid = torch.stack(torch.meshgrid(*centres, indexing="ij"), dim=-1)
    return torch.cat([x, grid.expand(rows, -1, -1, -1)], dim=-1)


def _blocks(config: ConvolutionalNetwork, width: int) -> list[nn.Module]:
    """Those of one stage."""
    return [ResidualBlock(config, width) for _ in range(config.blocks_per_stage)]
