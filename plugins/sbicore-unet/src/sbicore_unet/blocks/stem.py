"""The way in: leading axes become one, and conditions on the same pixels are added to the targets."""

from __future__ import annotations

import math

import torch
from torch import Size, Tensor, nn

from sbicore.shapes import Shapes

from .style import Style

__all__ = ["Stem", "fold", "leading", "unfold"]


def leading(axes: int, x: Tensor, t: Tensor | None, conditions: Tensor | None, rank: int) -> Size:
    """The leading axes of the result: those of all inputs, broadcast; conditions have events of this rank."""
    shapes = [x.shape[: x.ndim - axes - 1]]
    shapes += [] if t is None else [t.shape]
    shapes += [] if conditions is None else [conditions.shape[: conditions.ndim - rank]]
    return torch.broadcast_shapes(*shapes)


def fold(x: Tensor, axes: int) -> Tensor:
    """`(*, *space, C) -> (N, C, *space)`."""
    lead, event = x.shape[: x.ndim - axes - 1], x.shape[x.ndim - axes - 1 :]
    return x.reshape(math.prod(lead), *event).movedim(-1, 1)


def unfold(h: Tensor, lead: Size) -> Tensor:
    """`(N, C, *space) -> (*, *space, C)`."""
    h = h.movedim(1, -1)
    return h.reshape(*lead, *h.shape[1:])


class Stem(nn.Module):
    """`x (*, *space, C), conditions (*, *space, D), lead -> (N, width, *space)`.

    One convolution of both together, as two that are added, so that conditions which many draws share are seen once.
    """

    def __init__(self, shapes: Shapes, width: int, style: Style) -> None:
        super().__init__()
        self.style = style
        given = shapes.conditions is not None and len(shapes.conditions) == len(shapes.target)
        self.from_x = style.convolution(shapes.target[-1], width)
        self.from_conditions = style.convolution(shapes.conditions[-1], width) if given else None  # type: ignore[index]

    def forward(self, x: Tensor, conditions: Tensor | None, lead: Size) -> Tensor:
        """Conditions that are vectors are left to the `Embedding`."""
        h = self._seen(self.from_x, x)
        if self.from_conditions is not None and conditions is not None:
            h = h + self._seen(self.from_conditions, conditions)
        axes = self.style.axes
        return self.style.packed(fold(h.expand(*lead, *h.shape[h.ndim - axes - 1 :]), axes))

    def _seen(self, convolution: nn.Module, x: Tensor) -> Tensor:
        axes = self.style.axes
        return unfold(convolution(self.style.packed(fold(x, axes))), x.shape[: x.ndim - axes - 1])
