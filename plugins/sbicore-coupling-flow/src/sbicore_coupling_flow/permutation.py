"""What mixes coordinates between coupling layers. All keep volumes, so their log determinant is zero."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["PERMUTATIONS", "Orthogonal", "Permutation"]


class Permutation(nn.Module):
    """A fixed order of the coordinates, saved with the weights."""

    order: Tensor
    back: Tensor

    def __init__(self, order: Tensor) -> None:
        super().__init__()
        self.register_buffer("order", order)
        self.register_buffer("back", order.argsort())

    def forward(self, x: Tensor, conditions: Tensor | None = None) -> tuple[Tensor, float]:
        """Reordered, and the log determinant."""
        return x.index_select(-1, self.order), 0.0

    def inverse(self, z: Tensor, conditions: Tensor | None = None) -> Tensor:
        """The first order again."""
        return z.index_select(-1, self.back)


class Orthogonal(nn.Module):
    """A trainable rotation `z = x exp(A - A')`, random at first and orthogonal whatever A is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.generator = nn.Parameter(torch.randn(size, size))

    @property
    def matrix(self) -> Tensor:
        """`(D, D)`."""
        return torch.matrix_exp(self.generator - self.generator.T)

    def forward(self, x: Tensor, conditions: Tensor | None = None) -> tuple[Tensor, float]:
        """Rotated, and the log determinant."""
        return x @ self.matrix, 0.0

    def inverse(self, z: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Rotated back; in the precision of z also where automatic casts are on."""
        with torch.autocast(z.device.type, enabled=False):
            return z @ self.matrix.T


PERMUTATIONS = {
    "random": lambda size: Permutation(torch.randperm(size)),
    "swap": lambda size: Permutation(torch.arange(size).roll(-(size // 2))),
    "orthogonal": Orthogonal,
}
