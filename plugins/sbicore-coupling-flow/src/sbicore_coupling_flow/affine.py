"""The affine transform of coupling layers (arXiv:1605.08803, eq. 7)."""

from __future__ import annotations

from torch import Tensor

from .transform_options import AffineOptions

__all__ = ["Affine"]


class Affine:
    """`z = exp(s) x + b`; two raw parameters a coordinate, which are zero at the identity."""

    def __init__(self, options: AffineOptions) -> None:
        self.clamp = options.clamp
        self.size = 2

    def forward(self, x: Tensor, raw: Tensor) -> tuple[Tensor, Tensor]:
        """`z` and the log derivative of each coordinate: `(*, d), (*, d, 2) -> (*, d), (*, d)`."""
        log_scale, shift = self._parameters(raw)
        return x * log_scale.exp() + shift, log_scale

    def inverse(self, z: Tensor, raw: Tensor) -> Tensor:
        """`x` from `z`."""
        log_scale, shift = self._parameters(raw)
        return (z - shift) * (-log_scale).exp()

    def _parameters(self, raw: Tensor) -> tuple[Tensor, Tensor]:
        log_scale, shift = raw.unbind(-1)
        return log_scale.asinh() if self.clamp else log_scale, shift
