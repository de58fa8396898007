"""What the parts of one network have in common."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor, nn
from torch.autograd.forward_ad import unpack_dual

__all__ = ["CONVOLUTIONS", "ChannelGroupNorm", "PixelNorm", "Style", "activation"]

CONVOLUTIONS: dict[int, Any] = {1: nn.Conv1d, 2: nn.Conv2d, 3: nn.Conv3d}
_ACTIVATIONS: dict[str, Any] = {"silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "mish": nn.Mish}
_LEAST = 4
"""Channels of a group: a group of one would make a single pixel zero."""


def activation(name: str) -> nn.Module:
    """The activation of this name."""
    made: nn.Module = _ACTIVATIONS[name]()
    return made


@attrs.frozen(kw_only=True)
class Style:
    """How to make the layers of a network.

    Args:
        axes: of pixels, 1 to 3.
        embedding: features of the `Embedding` that the blocks receive.
        activation, norm, groups, dropout, kernel_size, padding, use_film: as the fields of `sbicore_unet.UNet`.
    """

    axes: int
    embedding: int
    activation: str = "silu"
    norm: str | None = "group"
    groups: int = 8
    dropout: float = 0.0
    kernel_size: int = 3
    padding: str = "zeros"
    use_film: bool = True

    @classmethod
    def of(cls, config: Any, axes: int, embedding: int) -> Style:
        """The style that a config's fields of the same names describe."""
        own = [field.name for field in attrs.fields(cls) if field.name not in ("axes", "embedding")]
        return cls(axes=axes, embedding=embedding, **{name: getattr(config, name) for name in own})

    def convolution(
        self, width_in: int, width: int, kernel_size: int | None = None, *, zero: bool = False
    ) -> nn.Module:
        """One that keeps the number of pixels, and the variance at the start or nothing."""
        size = self.kernel_size if kernel_size is None else kernel_size
        made: nn.Conv2d = CONVOLUTIONS[self.axes](width_in, width, size, padding="same", padding_mode=self.padding)
        if zero:
            nn.init.zeros_(made.weight)
        else:
            nn.init.kaiming_normal_(made.weight, nonlinearity="linear")
        nn.init.zeros_(made.bias)  # type: ignore[arg-type]
        return made

    def active(self) -> nn.Module:
        """The activation."""
        return activation(self.activation)

    def normalisation(self, width: int) -> nn.Module:
        """The normalisation, with the largest number of groups that divides the width."""
        if self.norm is None:
            return nn.Identity()
        if self.norm == "layer":
            return PixelNorm(width)
        most = max(1, min(self.groups, width // _LEAST))
        return ChannelGroupNorm(next(count for count in range(most, 0, -1) if width % count == 0), width)

    def packed(self, h: Tensor) -> Tensor:
        """The same with its channels last in memory, as fast convolutions want them."""
        if self.axes == 1:
            return h
        return h.contiguous(memory_format=torch.channels_last if self.axes == 2 else torch.channels_last_3d)


class ChannelGroupNorm(nn.GroupNorm):
    """`(N, C, *space) -> (N, C, *space)`: mean 0 and variance 1 over a group of channels and all pixels."""

    def forward(self, x: Tensor) -> Tensor:
        """Torch differentiates it forward with the pixels last in memory alone."""
        if not torch.compiler.is_compiling() and unpack_dual(x).tangent is not None:
            x = x.contiguous()
        return super().forward(x)


class PixelNorm(nn.LayerNorm):
    """`(N, C, *space) -> (N, C, *space)`: mean 0 and variance 1 over the channels of each pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """With the channels last in memory the two moves copy nothing."""
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)
