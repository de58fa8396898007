"""Scales of signal and noise at a log signal-to-noise ratio."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["exploding", "preserving"]


def preserving(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """alpha² + sigma² = 1."""
    return torch.sigmoid(log_snr).sqrt(), torch.sigmoid(-log_snr).sqrt()


def exploding(log_snr: Tensor) -> tuple[Tensor, Tensor]:
    """alpha = 1."""
    return torch.ones_like(log_snr), (-log_snr / 2).exp()
