"""The cosine schedule, on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._scales import preserving

if TYPE_CHECKING:
    from .cosine import CosineNoiseSchedule

__all__ = ["Cosine"]


class Cosine:
    """See `CosineNoiseSchedule` and `sbicore.protocols.NoiseSchedule`; one law for training and sampling."""

    variance_preserving = True

    def __init__(self, config: CosineNoiseSchedule) -> None:
        self.shift = config.shift
        self.weighted = config.weighting is not None
        self.alpha_sigma = preserving
        ends = torch.tensor([config.max_log_snr, config.min_log_snr], dtype=torch.float64)
        self._start, self._stop = self._angle(ends).tolist()

    def log_snr(self, t: Tensor, *, training: bool = False) -> Tensor:
        """`(*) -> (*)`."""
        return 2 * self.shift - 2 * self._at(t).tan().log()

    def t_from_log_snr(self, log_snr: Tensor, *, training: bool = False) -> Tensor:
        """The inverse."""
        return (self._angle(log_snr) - self._start) / (self._stop - self._start)

    def derivative(self, t: Tensor, *, training: bool = False) -> Tensor:
        """d log_snr / dt."""
        return -4 * (self._stop - self._start) / (2 * self._at(t)).sin()

    def loss_weight(self, log_snr: Tensor) -> Tensor:
        """1, or minus the derivative at this level (arXiv:2101.09258, eq. 7, as a weight of the noise's error)."""
        if not self.weighted:
            return torch.ones_like(log_snr)
        return 4 * (self._stop - self._start) / (2 * self._angle(log_snr)).sin()

    def _at(self, t: Tensor) -> Tensor:
        return self._start + (self._stop - self._start) * t

    def _angle(self, log_snr: Tensor) -> Tensor:
        """Between 0 and pi / 2, smaller for more signal."""
        return torch.atan((self.shift - log_snr / 2).exp())
