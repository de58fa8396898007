"""Covariance and precision matrices as free numbers.

A covariance is `S = L L'` with `L` lower triangular and its diagonal above 0; `K (K + 1) / 2` numbers describe it: the
diagonal of `L`, made free by `constrain`, and then what is below it, row by row. Densities are with respect to the
lower triangle of the matrix, where

    log|dS/dL| = K log 2 + sum_i (K - i) log L_ii,   i = 0 to K - 1

A precision is `P = A' A` with `A` lower triangular: the inverse of the factor of its covariance. So its row i holds the
regression of variable i on those before it, in units of what they leave unexplained (Pourahmadi 1999).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import FrozenMapping, flag, mapping
from .constrain import Constrain
from .matrices import factor, from_rows, rows_below, size_of_square
from .variablewise import Event, Variablewise

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AsCovarianceMatrix", "AsPrecisionMatrix"]

_OWN = ("keys", "lower", "upper")


@frozen(kw_only=True)
class AsCovarianceMatrix(Variablewise):
    """`(K, K)`, symmetric and positive definite, to K (K + 1) / 2 free numbers; other values become NaN."""

    name: ClassVar[str] = "as_covariance_matrix"
    needs: ClassVar[str] = "square matrices as the last two axes"

    cholesky: bool = flag(False, doc="Values are lower triangular factors instead of matrices.")
    diag_kwargs: FrozenMapping | None = mapping(
        None, optional=True, doc="How the diagonal is made free: `method`, `inclusive`, `epsilon` of `constrain`."
    )

    def __attrs_post_init__(self) -> None:
        for name in self.diag_kwargs or {}:
            if name in _OWN:
                raise ConfigError(f"{name!r} is settled: the diagonal is above 0").within("diag_kwargs")
        try:
            self._diagonal  # noqa: B018
        except ConfigError as error:
            raise error.within("diag_kwargs") from None

    def _after(self, event: Event) -> Event:
        size = size_of_square(event)
        return (*event[:-2], size * (size + 1) // 2)

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        import torch

        lower, valid = factor(self._turned(x), self.cholesky)
        y = torch.cat([self._diagonal._apply(lower.diagonal(dim1=-2, dim2=-1)), rows_below(lower)], dim=-1)
        return y.where(valid.unsqueeze(-1), math.nan)

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        size = event[-1]
        lower = from_rows(y[..., size:], size)
        lower = lower + self._diagonal._undo(y[..., :size]).diag_embed()
        return self._turned(lower if self.cholesky else lower @ lower.mT)

    def _log_volume(self, x: Tensor, y: Tensor, event: Event) -> Tensor:
        import torch

        lower, valid = factor(self._turned(x), self.cholesky)
        diagonal = lower.diagonal(dim1=-2, dim2=-1)
        volume = self._diagonal._log_slope(diagonal, diagonal).sum(-1)
        if not self.cholesky:
            size = event[-1]
            powers = torch.arange(size, 0, -1, dtype=x.dtype, device=x.device)
            volume = volume - size * math.log(2.0) - (powers * diagonal.log()).sum(-1)
        return volume.where(valid, math.nan)

    @property
    def _diagonal(self) -> Constrain:
        return Constrain(**{"keys": "diagonal", "lower": 0.0, "inclusive": "none", **(self.diag_kwargs or {})})

    def _turned(self, x: Tensor) -> Tensor:
        return x


@frozen(kw_only=True)
class AsPrecisionMatrix(AsCovarianceMatrix):
    """Precision matrices `(K, K)` in the same way, by the inverse factor of their covariance; nothing is inverted."""

    name: ClassVar[str] = "as_precision_matrix"

    def _turned(self, x: Tensor) -> Tensor:
        """With the order of variables reversed, `A' A` is a lower factor times its transpose."""
        turned = x.flip(-1, -2)
        return turned.mT if self.cholesky else turned
