"""Shares that add up to 1 as free numbers.

Densities are with respect to the first K - 1 shares. With shares `x`, `r_k = 1 - x_1 - ... - x_{k-1}` of them left, and
`z_k = x_k / r_k`:

    simplex   y = H' log x, H orthonormal (K, K - 1) with columns that add up to 0   (Egozcue et al. 2003)
              log|dy/dx| = -sum_k log x_k - log(K) / 2
    stick     y_k = logit(z_k) + log(K - k)
              log|dy/dx| = -sum_k (log z_k + log(1 - z_k) + log r_k)
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..fields import choice, integer
from .variablewise import Event, Variablewise, axis_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["AsSimplex"]

_TOLERANCE = 1e-3


@frozen(kw_only=True)
class AsSimplex(Variablewise):
    """K shares along an axis, above 0 and of sum 1, become K - 1 free numbers; other values become NaN."""

    name: ClassVar[str] = "as_simplex"
    needs: ClassVar[str] = "an axis of at least 2 shares"

    axis: int = integer(-1, doc="An axis of the event; -1: the last.")
    method: str = choice(
        "default",
        options=("default", "simplex", "stick"),
        doc="`simplex`, the default, treats all shares alike; `stick` breaks off one after the other.",
    )

    def _after(self, event: Event) -> Event:
        at = axis_of(self.axis, len(event)) + len(event)
        if event[at] < 2:
            raise ValueError(event)
        return (*event[:at], event[at] - 1, *event[at + 1 :])

    def _apply(self, x: Tensor, event: Event) -> Tensor:
        axis = axis_of(self.axis, len(event))
        shares, valid = self._shares(x, axis)
        if self.method == "stick":
            rest = _rest(shares)
            y = shares[..., :-1].log() - rest[..., 1:].log() + _offsets(shares)
        else:
            y = shares.log() @ _basis(shares)
        return y.where(valid, math.nan).movedim(-1, axis)

    def _undo(self, y: Tensor, event: Event) -> Tensor:
        from torch.nn.functional import logsigmoid, pad

        axis = axis_of(self.axis, len(event))
        y = y.movedim(axis, -1)
        if self.method == "stick":
            z = y - _offsets(pad(y, (0, 1)))
            left = pad(logsigmoid(-z).cumsum(-1), (1, 0))
            x = (left + pad(logsigmoid(z), (0, 1))).exp()
        else:
            x = (y @ _basis(pad(y, (0, 1))).mT).softmax(-1)
        return x.movedim(-1, axis)

    def _log_volume(self, x: Tensor, y: Tensor, event: Event) -> Tensor:
        shares, valid = self._shares(x, axis_of(self.axis, len(event)))
        if self.method == "stick":
            rest = _rest(shares)
            volume = (rest[..., :-1].log() - shares[..., :-1].log() - rest[..., 1:].log()).sum(-1)
        else:
            volume = -shares.log().sum(-1) - 0.5 * math.log(shares.shape[-1])
        return volume.where(valid.squeeze(-1), math.nan)

    def _shares(self, x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
        """Shares along the last axis, equal ones in place of what are none; and which are."""
        x = x.movedim(axis, -1)
        valid = (x > 0).all(-1, keepdim=True) & ((x.sum(-1, keepdim=True) - 1).abs() <= _TOLERANCE)
        return x.where(valid, 1 / x.shape[-1]), valid


def _rest(shares: Tensor) -> Tensor:
    """What is left before each share: sums of it and all that follow."""
    return shares.flip(-1).cumsum(-1).flip(-1)


def _offsets(shares: Tensor) -> Tensor:
    """log(K - k) for k = 1 to K - 1: equal shares are mapped to zero."""
    import torch

    count = shares.shape[-1]
    return torch.arange(count - 1, 0, -1, dtype=shares.dtype, device=shares.device).log()


def _basis(shares: Tensor) -> Tensor:
    """Orthonormal columns that add up to zero, `(K, K - 1)`: the k-th sets the first k shares against the next."""
    import torch

    count = shares.shape[-1]
    k = torch.arange(1, count, dtype=shares.dtype, device=shares.device)
    above = torch.ones(count, count - 1, dtype=shares.dtype, device=shares.device).triu()
    below = torch.nn.functional.pad(torch.diag(-k), (0, 0, 1, 0))
    result: Tensor = (above + below) / (k * (k + 1)).sqrt()
    return result
