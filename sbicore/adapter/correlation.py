"""Correlation matrices as free numbers: partial correlations, one by one (Lewandowski, Kurowicka and Joe 2009).

With the factor `R = L L'`, whose rows have length 1, and what is left of a row, `r_ij = sum_{k >= j} L_ik^2`:

    y_ij = artanh(L_ij / sqrt(r_ij)) = arsinh(L_ij / sqrt(r_i,j+1)),   j < i, row by row
    log|dy/dL| = sum_{j < i} log(r_ij) / 2 - log(r_i,j+1)
    log|dR/dL| = sum_j (K - 1 - j) log L_jj,   j = 0 to K - 1

Densities are with respect to the entries below the diagonal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import flag
from .matrices import factor, from_rows, rows_below, size_of_square
from .variablewise import Event, Variablewise

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AsCorrelationMatrix"]

_TOLERANCE = 1e-3


@frozen(kw_only=True)
class AsCorrelationMatrix(Variablewise):
    """`(K, K)`, positive definite with ones on the diagonal, to K (K - 1) / 2 free numbers; other values become NaN."""

    name: ClassVar[str] = "as_correlation_matrix"
    needs: ClassVar[str] = "square matrices of at least 2 rows as the last two axes"

    cholesky: bool = flag(False, doc="Values are lower triangular factors instead of matrices.")

    def _after(self, event: Event) -> Event:
        size = size_of_square(event, at_least=2)
        return (*event[:-2], size * (size - 1) // 2)

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        lower, _, after, valid = self._rows(x)
        y = (rows_below(lower) / after.sqrt()).asinh()
        return y.where(valid.unsqueeze(-1), math.nan)

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        import torch
        from torch.nn.functional import softplus

        free = from_rows(y, event[-1])
        log_cosh = free.abs() + softplus(-2 * free.abs()) - math.log(2.0)
        below = torch.nn.functional.pad(log_cosh.tril(-1).cumsum(-1), (1, -1))
        lower = (-below).exp().tril() * (free.tanh() + torch.eye(event[-1], dtype=y.dtype, device=y.device))
        if self.cholesky:
            return lower
        x = (lower @ lower.mT).clamp(-1.0, 1.0)
        return torch.where(torch.eye(event[-1], dtype=torch.bool, device=y.device), 1.0, (x + x.mT) / 2)

    def _log_volume(self, x: Tensor, y: Tensor, event: Event) -> Tensor:
        import torch

        lower, here, after, valid = self._rows(x)
        volume = (here.log() / 2 - after.log()).sum(-1)
        if not self.cholesky:
            size = event[-1]
            powers = torch.arange(size - 1, -1, -1, dtype=x.dtype, device=x.device)
            volume = volume - (powers * lower.diagonal(dim1=-2, dim2=-1).log()).sum(-1)
        return volume.where(valid, math.nan)

    def _rows(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The factor, what is left of its rows before and after each entry below the diagonal, and which are valid."""
        import torch

        lower, valid = factor(x, self.cholesky)
        left = lower.square().flip(-1).cumsum(-1).flip(-1)
        valid = valid & ((left[..., 0] - 1).abs() <= _TOLERANCE).all(-1)
        after = torch.nn.functional.pad(left[..., 1:], (0, 1))
        return lower, rows_below(left), rows_below(after), valid
