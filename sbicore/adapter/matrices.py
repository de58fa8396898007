"""Triangular factors, their checks, and the entries below their diagonal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["factor", "from_rows", "rows_below", "size_of_square"]

_TOLERANCE = 1e-4
"""How far entries that should be equal may differ, relative to the largest."""


def size_of_square(event: tuple[int, ...], at_least: int = 1) -> int:
    """K of an event `(..., K, K)`.

    Raises:
        ValueError: not square, or too small.
    """
    if len(event) < 2 or event[-1] != event[-2] or event[-1] < at_least:
        raise ValueError(event)
    return event[-1]


def factor(x: Tensor, cholesky: bool) -> tuple[Tensor, Tensor]:
    """Lower factors `(*, K, K)` of `x`, or `x` itself, and which are valid; the identity in place of the others."""
    import torch

    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    scale = x.abs().amax((-2, -1), keepdim=True)
    mirrored = x.tril() if cholesky else x.mT
    valid = ((x - mirrored).abs() <= _TOLERANCE * scale).all(-1).all(-1) & torch.isfinite(x).all(-1).all(-1)
    x = x.where(valid[..., None, None], identity)
    if cholesky:
        lower = x.tril()
        positive = (lower.diagonal(dim1=-2, dim2=-1) > 0).all(-1)
    else:
        x = (x + x.mT) / 2
        positive = torch.linalg.cholesky_ex(x.detach()).info == 0
        lower = torch.linalg.cholesky_ex(x.where(positive[..., None, None], identity)).L
    return lower.where(positive[..., None, None], identity), valid & positive


def rows_below(x: Tensor) -> Tensor:
    """The entries below the diagonal, row by row: `(*, K, K) -> (*, K (K - 1) / 2)`."""
    import torch

    i, j = torch.tril_indices(x.shape[-1], x.shape[-1], -1, device=x.device)
    return x[..., i, j]


def from_rows(y: Tensor, size: int) -> Tensor:
    """Matrices `(*, K, K)` with these entries below the diagonal and zeros elsewhere."""
    import torch

    i, j = torch.tril_indices(size, size, -1, device=y.device)
    x = y.new_zeros(*y.shape[:-1], size * size)
    return x.index_copy(-1, i * size + j, y).unflatten(-1, (size, size))
