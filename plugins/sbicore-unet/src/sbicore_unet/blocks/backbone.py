"""The frame of image backbones: the way in, the way out, and the switches of both."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

from .embedding import Embedding
from .film import Film
from .stem import Stem, leading, unfold
from .style import Style

__all__ = ["ImageBackbone", "require_sides"]


def require_sides(config: Any, shapes: Shapes, halvings: int, kernel: str) -> None:
    """Raise ConfigError where kernels reach around a periodic field more than once at its lowest resolution.

    Args:
        config: with `padding` and `widths`.
        shapes: of the network.
        halvings: how often the sides of the target are halved.
        kernel: the field of the config with the size of the kernels.
    """
    size = getattr(config, kernel)
    sides = [-(-side // 2**halvings) for side in shapes.target[:-1]]
    if config.padding == "circular" and min(sides) < size // 2:
        raise ConfigError(
            f"kernels of {size} pixels reach around more than once where {' x '.join(map(str, sides))} pixels are left "
            f"of a target of shape {shapes.target}\nGive fewer widths, a smaller {kernel}, or padding='zeros'."
        ).within(kernel)


class ImageBackbone(nn.Module):
    """`(x (*, *space, C), t (*), conditions (*, *space, D) or (*, D)) -> (*, *space, W)`.

    Conditions on the same pixels are added to the targets at the entrance; those that are vectors are seen by every
    block, beside the time. The embedding of a time that all rows share is computed once.

    Subclasses make their parts in `make` and use them in `between`, on fields with `widths[0]` channels.
    """

    def __init__(self, config: Any, shapes: Shapes) -> None:
        super().__init__()
        require_sides(config, shapes, len(config.widths) - 1, "kernel_size")
        self.config = config
        self.axes, self.rank = len(shapes.target) - 1, len(shapes.conditions or ())
        self.embedding = Embedding(shapes, config.time_emb_dim, config.activation)
        style = Style.of(config, self.axes, self.embedding.out_features)
        width = config.widths[0]
        self.stem = Stem(shapes, width, style)
        self.make(config, style)
        self.last = nn.Sequential(style.normalisation(width), style.active())
        self.film = Film(width, style)
        self.out_features = shapes.output or 2 * width
        self.out = nn.Linear(2 * width, shapes.output) if shapes.output else nn.Identity()

    @abstractmethod
    def make(self, config: Any, style: Style) -> None:
        """Set the parts between the way in and the way out."""

    @abstractmethod
    def between(self, h: Tensor, embedded: Tensor) -> Tensor:
        """`h (N, widths[0], *space), embedded (N or 1, E) -> (N, widths[0], *space)`."""

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
        h = self.between(self.stem(x, conditions, lead), embedded)
        h = torch.cat([self.last(h), self.film(h, embedded)], dim=1)
        return self.out(unfold(h, lead))

    def run(self, part: nn.Module, *inputs: Tensor) -> Tensor:
        """`part(*inputs)`, which is computed again for its gradient under `checkpointing`."""
        if self.config.checkpointing and torch.is_grad_enabled():
            found: Tensor = checkpoint(part, *inputs, use_reentrant=False)
            return found
        return part(*inputs)
