"""What the output of the network means: signal and noise as linear functions of it and of the noisy value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["ERRORS", "PREDICTED", "Estimate"]


class Estimate(NamedTuple):
    """`x = x_z z + x_p p` and `e = e_z z + e_p p` for the noisy value `z = alpha x + sigma e` and the output p."""

    x_z: Tensor
    x_p: Tensor
    e_z: Tensor
    e_p: Tensor

    def both(self, z: Tensor, p: Tensor) -> tuple[Tensor, Tensor]:
        """Signal and noise."""
        return self.x_z * z + self.x_p * p, self.e_z * z + self.e_p * p


def _normalised(alpha: Tensor, sigma: Tensor, sigma_data: float) -> Estimate:
    """F of arXiv:2206.00364, eq. 7, for any alpha: x is the best linear guess from z, plus the output in units of what
    that leaves open."""
    variance = (alpha * sigma_data).square() + sigma.square()
    root = sigma_data / variance.sqrt()
    return Estimate(alpha * sigma_data**2 / variance, sigma * root, sigma / variance, -alpha * root)


def _noise(alpha: Tensor, sigma: Tensor, sigma_data: float) -> Estimate:
    zero, one = torch.zeros_like(alpha), torch.ones_like(alpha)
    return Estimate(1 / alpha, -sigma / alpha, zero, one)


def _signal(alpha: Tensor, sigma: Tensor, sigma_data: float) -> Estimate:
    zero, one = torch.zeros_like(alpha), torch.ones_like(alpha)
    return Estimate(zero, one, 1 / sigma, -alpha / sigma)


def _velocity(alpha: Tensor, sigma: Tensor, sigma_data: float) -> Estimate:
    """`v = alpha e - sigma x` (arXiv:2202.00512, section 4)."""
    total = alpha.square() + sigma.square()
    return Estimate(alpha / total, -sigma / total, sigma / total, alpha / total)


def _score(alpha: Tensor, sigma: Tensor, sigma_data: float) -> Estimate:
    """The gradient of the log density of z is `-e / sigma`."""
    return Estimate(1 / alpha, sigma.square() / alpha, torch.zeros_like(alpha), -sigma)


PREDICTED: Mapping[str, Callable[[Tensor, Tensor, float], Estimate]] = {
    "F": _normalised,
    "noise": _noise,
    "velocity": _velocity,
    "x": _signal,
    "score": _score,
    "potential": _noise,
}
"""`(alpha (*), sigma (*), sigma_data) -> Estimate`. The gradient of a potential is the noise, which is -sigma times the
score, and so the potential is one of the score, in units that the network can learn."""

ERRORS: Mapping[str, Callable[[Tensor, Tensor, Tensor, Tensor, float], Tensor]] = {
    "noise": lambda x, e, alpha, sigma, sigma_data: e,
    "velocity": lambda x, e, alpha, sigma, sigma_data: alpha * e - sigma * x,
    "F": lambda x, e, alpha, sigma, sigma_data: x / _normalised(alpha, sigma, sigma_data).x_p,
}
"""What a loss squares, from the errors of signal and noise: `(x, e, alpha, sigma, sigma_data)`."""
