"""What an embedding does to a field."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .style import Style

__all__ = ["Film"]


class Film(nn.Module):
    """`h (N, C, *space), embedded (N or 1, E) -> (1 + scale) h + shift`, for each channel (arXiv:1709.07871).

    Both start at zero. Without `use_film` there is no scale.
    """

    def __init__(self, width: int, style: Style) -> None:
        super().__init__()
        self.width, self.axes, self.scales = width, style.axes, style.use_film
        self.linear = nn.Linear(style.embedding, (1 + style.use_film) * width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, h: Tensor, embedded: Tensor) -> Tensor:
        """As many channels and pixels as before."""
        told = self.linear(embedded)
        told = told.reshape(*told.shape, *[1] * self.axes)
        if not self.scales:
            return h + told
        scale, shift = told.chunk(2, dim=1)
        return torch.addcmul(shift, h, 1 + scale)
