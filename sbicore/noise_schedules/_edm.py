"""EDM's noise levels, on tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ._scales import exploding, preserving

if TYPE_CHECKING:
    from .edm import EDMNoiseSchedule

__all__ = ["EDM"]

_MEAN, _SPREAD = -1.2, 1.2
"""Of ln sigma in training (arXiv:2206.00364, table 1)."""
_RHO = 7.0
_BEYOND = 1.0
"""How far training goes beyond the levels of sampling, in log_snr."""


class EDM:
    """See `EDMNoiseSchedule` and `sbicore.protocols.NoiseSchedule`."""

    def __init__(self, config: EDMNoiseSchedule) -> None:
        self.variance_preserving = config.variance_type == "preserving"
        self.sigma_data = config.sigma_data
        self.alpha_sigma = preserving if self.variance_preserving else exploding
        self._low, self._high = config.sigma_min ** (1 / _RHO), config.sigma_max ** (1 / _RHO)
        self._least, self._most = -2 * math.log(config.sigma_max), -2 * math.log(config.sigma_min)

    def log_snr(self, t: Tensor, *, training: bool = False) -> Tensor:
        """`(*) -> (*)`; in training clipped a little beyond the levels of sampling."""
        if training:
            level = -2 * (_MEAN + _SPREAD * torch.special.ndtri(t))
            return level.clamp(self._least - _BEYOND, self._most + _BEYOND)
        return -2 * _RHO * (self._low + t * (self._high - self._low)).log()

    def t_from_log_snr(self, log_snr: Tensor, *, training: bool = False) -> Tensor:
        """The time of a level: beyond 0 and 1 for levels beyond those of sampling."""
        if training:
            return torch.special.ndtr((-log_snr / 2 - _MEAN) / _SPREAD)
        return ((-log_snr / (2 * _RHO)).exp() - self._low) / (self._high - self._low)

    def derivative(self, t: Tensor, *, training: bool = False) -> Tensor:
        """d log_snr / dt."""
        if training:
            z = torch.special.ndtri(t)
            return -2 * _SPREAD * math.sqrt(2 * math.pi) * (z.square() / 2).exp()
        return -2 * _RHO * (self._high - self._low) / (self._low + t * (self._high - self._low))

    def loss_weight(self, log_snr: Tensor) -> Tensor:
        """`1 + sigma² / sigma_data²`."""
        return 1 + (-log_snr).exp() / self.sigma_data**2
