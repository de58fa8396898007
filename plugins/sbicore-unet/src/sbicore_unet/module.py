"""The module of `unet`."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .blocks import Downsample, ImageBackbone, ResidualBlock, Stage, Style, Upsample
from .config import UNet

__all__ = ["UNetModule"]


class UNetModule(ImageBackbone):
    """Residual blocks at falling and then rising resolution, with a link across at each."""

    def make(self, config: UNet, style: Style) -> None:
        """Stages down, two blocks in the middle, stages up."""

        def stage(width_in: int, width: int, attends: bool) -> Stage:
            return Stage(ResidualBlock(width_in, width, style), width, config.num_heads * attends, style)

        width = config.widths[0]
        links = [width]
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for number, (wide, attends) in enumerate(zip(config.widths, config.attends, strict=True)):
            if number:
                down.append(Downsample(width, wide, config.down_mode, style))
                links.append(wide)
                width = wide
            for _ in range(config.res_blocks):
                down.append(stage(width, wide, attends))
                links.append(wide)
        self.down = nn.ModuleList(down)
        self.middle = nn.ModuleList([stage(width, width, True), stage(width, width, False)])
        for number, (wide, attends) in reversed(list(enumerate(zip(config.widths, config.attends, strict=True)))):
            for _ in range(config.res_blocks + 1):
                up.append(stage(width + links.pop(), wide, attends))
                width = wide
            if number:
                up.append(Upsample(width, config.widths[number - 1], style))
                width = config.widths[number - 1]
        self.up = nn.ModuleList(up)

    def between(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        links = [h]
        for part in self.down:
            h = part(h) if isinstance(part, Downsample) else self.run(part, h, embedded)
            links.append(h)
        for part in self.middle:
            h = self.run(part, h, embedded)
        for part in self.up:
            if isinstance(part, Upsample):
                h = part(h, links[-1].shape[2:])
            else:
                h = self.run(part, torch.cat([h, links.pop()], dim=1), embedded)
        return h
