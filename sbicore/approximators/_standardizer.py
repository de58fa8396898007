"""Standardisation by the moments of the training split."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from .._messages import listing
from ..errors import DataError, DataWarning

__all__ = ["Moments", "Standardizer", "require_size", "warn_of_drift", "warn_of_offsets"]

_SLICE = 1 << 18
"""Values that are taken in at once."""
_SHIFT, _RATIO = 10.0, 100.0
"""Deviations by which a mean may move, and factor by which a deviation may change, where the standardisation stays."""


class Moments:
    """Mean, deviation and range of features over all axes but the last, in float64, of rows that come in parts.

    Large parts are taken in by slices, so that float64 copies stay small.

    Source: Chan, Golub and LeVeque (1983), The American Statistician 37(3), equations 1.5.
    """

    def __init__(self) -> None:
        self.count: Tensor | float = 0.0
        self.mean = self.squares = torch.zeros((), dtype=torch.float64)
        self.low, self.high = _no_range(())
        self.eps = 0.0

    def add(self, x: Tensor, mask: Tensor | None = None) -> Moments:
        """Take in `(N, *event)`; `mask`, of that shape or without its last axis, tells which values count."""
        flat = x.reshape(-1, x.shape[-1])
        step = max(1, _SLICE // max(1, x.shape[-1]))
        weight = None if mask is None else mask.reshape(len(flat), -1)
        for start in range(0, max(1, len(flat)), step):
            rows = slice(start, start + step)
            self._add(flat[rows].double(), None if weight is None else weight[rows].double())
        self.eps = torch.finfo(x.dtype).eps
        return self

    def _add(self, flat: Tensor, weight: Tensor | None) -> None:
        if weight is None:
            count: Tensor | float = float(len(flat))
            mean = flat.mean(0) if count else torch.zeros_like(flat[:0].sum(0))
            squares = ((flat - mean) ** 2).sum(0)
        else:
            count = weight.sum(0)
            mean = (flat * weight).sum(0) / count.clamp_min(1.0)
            squares = ((flat - mean) ** 2 * weight).sum(0)
        if len(flat):
            left_out = torch.zeros_like(flat, dtype=torch.bool) if weight is None else weight == 0
            self.low = flat.masked_fill(left_out, torch.inf).amin(0).minimum(self.low)
            self.high = flat.masked_fill(left_out, -torch.inf).amax(0).maximum(self.high)
        total = torch.as_tensor(self.count + count).clamp_min(1.0)
        shift = mean - self.mean
        self.mean = self.mean + shift * count / total
        self.squares = self.squares + squares + shift**2 * self.count * count / total
        self.count = self.count + count

    @property
    def std(self) -> Tensor:
        """Population deviation of each feature."""
        return (self.squares / torch.as_tensor(self.count).clamp_min(1.0)).sqrt()


class Standardizer(nn.Module):
    """`(x - mean) / std` along the last axis; one mean and deviation a channel for structured data.

    It stays on the CPU in float64, where values arrive and leave, so that large offsets cost
    no precision. Before `fit_moments` it is the identity. `low` and `high` are the range of the training data.
    """

    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(self, event: tuple[int, ...]) -> None:
        super().__init__()
        self.event = event
        self.register_buffer("mean", torch.zeros(event[-1], dtype=torch.float64))
        self.register_buffer("std", torch.ones(event[-1], dtype=torch.float64))
        low, high = _no_range((event[-1],))
        self.register_buffer("low", low)
        self.register_buffer("high", high)
        self.is_fitted = False

    def _apply(self, fn: object, recurse: bool = True) -> Standardizer:
        return self

    def fit_moments(self, moments: Moments, names: list[str]) -> None:
        """Take mean and deviation; a constant feature keeps deviation 1.

        Args:
            moments: of all rows.
            names: of the features.
        """
        std = moments.std
        constant = std <= 4 * moments.eps * moments.mean.abs()
        if constant.any():
            found = ", ".join(name for name, flag in zip(names, constant.tolist(), strict=True) if flag)
            warnings.warn(
                f"{int(constant.sum())} constant feature(s) in the training data, left unscaled: {found}",
                DataWarning,
                stacklevel=9,
            )
        self.mean = moments.mean
        self.is_fitted = True
        self.std = torch.where(constant, 1.0, std)

    def widen(self, moments: Moments) -> None:
        """Take more rows into the range."""
        self.low, self.high = moments.low.minimum(self.low), moments.high.maximum(self.high)

    def forward(self, x: Tensor) -> Tensor:
        """Standardise `(*, *event)`."""
        return x.to(torch.float64, copy=True).sub_(self.mean).div_(self.std)

    def inverse(self, z: Tensor) -> Tensor:
        """Undo it."""
        return z.double() * self.std + self.mean

    @property
    def log_det(self) -> float:
        """`log|det dz/dx|` of one event."""
        return -float(self.std.log().sum()) * math.prod(self.event[:-1])


def _no_range(shape: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Low and high of no values."""
    return torch.full(shape, torch.inf, dtype=torch.float64), torch.full(shape, -torch.inf, dtype=torch.float64)


def require_size(moments: Moments, names: list[str], *, scaled: bool) -> None:
    """Raise DataError where values are so large that their squares overflow, or they float32 if they stay unscaled."""
    size = moments.mean.abs() + moments.std
    fits = size <= torch.finfo(torch.float64 if scaled else torch.float32).max
    if not fits.all():
        found = listing(name for name, flag in zip(names, fits.tolist(), strict=True) if not flag)
        raise DataError(
            f"data: {found} too large for float{64 if scaled else 32}, in which "
            f"{'moments are taken' if scaled else 'the network takes what is not standardised'}\n"
            "Divide by a unit, or take the logarithm: adapter.log(...)."
        )


def warn_of_offsets(moments: Moments, names: list[str]) -> None:
    """Warn of targets whose offset is so large that float32 results keep few digits of their spread."""
    std, mean = moments.std, moments.mean
    coarse = (std > 0) & (mean.abs() * torch.finfo(torch.float32).eps > 0.01 * std)
    if coarse.any():
        found = ", ".join(name for name, flag in zip(names, coarse.tolist(), strict=True) if flag)
        warnings.warn(
            f"{found}: the offset is so large that float32 draws keep less than two digits of the spread. "
            "Infer the difference from a reference value instead.",
            DataWarning,
            stacklevel=9,
        )


def warn_of_drift(standardizer: Standardizer, moments: Moments, names: list[str], *, depth: int) -> None:
    """Warn of features of a further fit that a standardisation from an earlier one does not fit.

    Args:
        standardizer: as it stays.
        moments: of the new rows.
        names: of the features.
        depth: how many calls the user's is away.
    """
    std, new = standardizer.std, moments.std
    varies = (std != 1.0) & (new > 4 * moments.eps * moments.mean.abs())  # 1 is of features that were constant
    far = ((moments.mean - standardizer.mean).abs() > _SHIFT * std) | (new > _RATIO * std)
    far |= varies & (new * _RATIO < std)
    if far.any():
        first = int(far.nonzero()[0])
        found = listing(name for name, flag in zip(names, far.tolist(), strict=True) if flag)
        then, now = ((float(m[first]), float(s[first])) for m, s in ((standardizer.mean, std), (moments.mean, new)))
        warnings.warn(
            f"data: {found} far from the data of the first fit, whose standardisation stays; {names[first]} had mean "
            f"{then[0]:.4g} and deviation {then[1]:.4g} there, and has mean {now[0]:.4g} and deviation {now[1]:.4g} "
            "now. The network may hardly learn from such rows.\n"
            "Check the units, or build a new approximator for these data.",
            DataWarning,
            stacklevel=depth + 1,
        )
