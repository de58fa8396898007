"""The module of `unet`."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sbicore.shapes import Shapes

from .blocks import Downsample, Embedding, Film, ResidualBlock, SelfAttention, Stem, Style, Upsample, leading, unfold
from .config import UNet

__all__ = ["UNetModule"]


class UNetModule(nn.Module):
    """`(x (*, *space, C), t (*), conditions (*, *space, D) or (*, D)) -> (*, *space, W)`.

    Conditions on the same pixels are added to the targets at the entrance; those that are vectors are seen by every
    block, beside the time. The embedding of a time that all rows share is computed once.
    """

    def __init__(self, config: UNet, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        self.axes, self.rank = len(shapes.target) - 1, len(shapes.conditions or ())
        self.embedding = Embedding(shapes, config.time_emb_dim, config.activation)
        style = Style.of(config, self.axes, self.embedding.out_features)
        width = config.widths[0]
        self.stem = Stem(shapes, width, style)
        links = [width]
        down: list[nn.Module] = []
        up: list[nn.Module] = []
        for stage, (wide, attends) in enumerate(zip(config.widths, config.attends, strict=True)):
            if stage:
                down.append(Downsample(width, wide, config.down_mode, style))
                links.append(wide)
                width = wide
            for _ in range(config.res_blocks):
                down.append(_Stage(width, wide, attends, config, style))
                links.append(wide)
        self.down = nn.ModuleList(down)
        self.middle = nn.ModuleList(
            [_Stage(width, width, True, config, style), _Stage(width, width, False, config, style)]
        )
        for stage, (wide, attends) in reversed(list(enumerate(zip(config.widths, config.attends, strict=True)))):
            for _ in range(config.res_blocks + 1):
                up.append(_Stage(width + links.pop(), wide, attends, config, style))
                width = wide
            if stage:
                up.append(Upsample(width, config.widths[stage - 1], style))
                width = config.widths[stage - 1]
        self.up = nn.ModuleList(up)
        self.last = nn.Sequential(style.normalisation(width), style.active())
        self.film = Film(width, style)
        self.out_features = shapes.output or 2 * width
        self.out = nn.Linear(2 * width, shapes.output) if shapes.output else nn.Identity()

    def forward(self, x: Tensor, t: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Leading axes broadcast; any number of pixels."""
        reduced: Any = nullcontext()
        if self.config.precision == "bfloat16":
            reduced = torch.autocast(x.device.type, torch.bfloat16)
        with reduced:
            return self._passed(x, t, conditions).to(x.dtype)

    def _passed(self, x: Tensor, t: Tensor, conditions: Tensor | None) -> Tensor:
        lead = leading(self.axes, x, t, conditions, self.rank)
        embedded = self.embedding(t, conditions, lead)
        h = self.stem(x, conditions, lead)
        links = [h]
        for part in self.down:
            h = part(h) if isinstance(part, Downsample) else self._through(part, h, embedded)
            links.append(h)
        for part in self.middle:
            h = self._through(part, h, embedded)
        for part in self.up:
            if isinstance(part, Upsample):
                h = part(h, links[-1].shape[2:])
            else:
                h = self._through(part, torch.cat([h, links.pop()], dim=1), embedded)
        h = torch.cat([self.last(h), self.film(h, embedded)], dim=1)
        return self.out(unfold(h, lead))

    def _through(self, part: nn.Module, h: Tensor, embedded: Tensor) -> Tensor:
        if self.config.checkpointing and torch.is_grad_enabled():
            found: Tensor = checkpoint(part, h, embedded, use_reentrant=False)
            return found
        return part(h, embedded)


class _Stage(nn.Module):
    """A residual block, and attention where its stage attends."""

    def __init__(self, width_in: int, width: int, attends: bool, config: UNet, style: Style) -> None:
        super().__init__()
        self.block = ResidualBlock(width_in, width, style)
        self.attention = SelfAttention(width, config.num_heads, style) if attends else nn.Identity()

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        return self.attention(self.block(h, embedded))
