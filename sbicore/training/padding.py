"""Rows of several batches as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["padded"]


def padded(parts: Sequence[Tensor]) -> Tensor:
    """Rows `(n_i, L_i, *rest)` one below the other; shorter ones end in zeros, False in a mask.

    A part without rows has no say in the length.
    """
    parts = [part for part in parts if len(part)] or parts[:1]
    lengths = {part.shape[1] for part in parts if part.ndim > 1}
    if len(lengths) <= 1:
        return torch.cat([*parts])
    return torch.cat([_to_length(part, max(lengths)) for part in parts])


def _to_length(part: Tensor, length: int) -> Tensor:
    end = part.new_zeros(len(part), length - part.shape[1], *part.shape[2:])
    return torch.cat([part, end], dim=1)
