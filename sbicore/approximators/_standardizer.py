"""Standardisation by the moments of the training split."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from ..errors import DataWarning

__all__ = ["Standardizer", "warn_of_offsets"]


class Standardizer(nn.Module):
    """`(x - mean) / std` along the last axis; one mean and deviation a channel for structured data.

    It stays on the CPU in float64, where values arrive and leave, so that large offsets cost
    no precision. Before `fit_moments` it is the identity.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, event: tuple[int, ...]) -> None:
        super().__init__()
        self.event = event
        self.register_buffer("mean", torch.zeros(event[-1], dtype=torch.float64))
        self.register_buffer("std", torch.ones(event[-1], dtype=torch.float64))
        self.is_fitted = False

    def _apply(self, fn: object, recurse: bool = True) -> Standardizer:
        return self

    def fit_moments(self, x: Tensor, names: list[str], mask: Tensor | None = None) -> None:
        """Take mean and deviation over all axes but the last; a constant feature keeps deviation 1.

        Args:
            x: `(N, *event)`.
            names: of the features.
            mask: which values count: of the shape of `x`, or without its last axis.
        """
        flat = x.reshape(-1, x.shape[-1]).double()
        if mask is None:
            std, mean = torch.std_mean(flat, dim=0, correction=0)
        else:
            weight = mask.reshape(len(flat), -1).double()
            count = weight.sum(0).clamp_min(1.0)
            mean = (flat * weight).sum(0) / count
            std = (((flat - mean) ** 2 * weight).sum(0) / count).sqrt()
        constant = std <= 4 * torch.finfo(x.dtype).eps * mean.abs()
        if constant.any():
            found = ", ".join(name for name, flag in zip(names, constant.tolist(), strict=True) if flag)
            warnings.warn(
                f"{int(constant.sum())} constant feature(s) in the training data, left unscaled: {found}",
                DataWarning,
                stacklevel=9,
            )
        self.mean = mean
        self.is_fitted = True
        self.std = torch.where(constant, 1.0, std)

    def forward(self, x: Tensor) -> Tensor:
        """Standardise `(*, *event)`."""
        return (x.double() - self.mean) / self.std

    def inverse(self, z: Tensor) -> Tensor:
        """Undo it."""
        return z.double() * self.std + self.mean

    @property
    def log_det(self) -> float:
        """`log|det dz/dx|` of one event."""
        return -float(self.std.log().sum()) * math.prod(self.event[:-1])


def warn_of_offsets(x: Tensor, names: list[str]) -> None:
    """Warn of targets whose offset is so large that float32 results keep few digits of their spread."""
    std, mean = torch.std_mean(x.reshape(-1, x.shape[-1]).double(), dim=0, correction=0)
    coarse = (std > 0) & (mean.abs() * torch.finfo(torch.float32).eps > 0.01 * std)
    if coarse.any():
        found = ", ".join(name for name, flag in zip(names, coarse.tolist(), strict=True) if flag)
        warnings.warn(
            f"{found}: the offset is so large that float32 draws keep less than two digits of the spread. "
            "Infer the difference from a reference value instead.",
            DataWarning,
            stacklevel=9,
        )
