"""Series with any leading axes as rows, and masked entries as zeros."""

from __future__ import annotations

import math

from torch import Tensor

__all__ = ["as_rows", "zeroed"]


def as_rows(x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """`(*, N, F), (*, N) -> (R, N, F), (R, N)`, with zeros in the place of masked entries whatever they hold."""
    rows = math.prod(x.shape[:-2])
    flat = None if mask is None else mask.reshape(rows, mask.shape[-1])
    return zeroed(x.reshape(rows, *x.shape[-2:]), flat), flat


def zeroed(x: Tensor, mask: Tensor | None) -> Tensor:
    """`(R, N, F), (R, N) -> (R, N, F)`: zeros where the mask is False."""
    return x if mask is None else x.masked_fill(~mask.unsqueeze(-1), 0.0)
