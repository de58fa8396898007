"""Convolution along a series with masked entries."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import pad

from .rows import zeroed

__all__ = ["SeriesConvolution"]

_ACTIVATIONS = {"mish": nn.Mish, "silu": nn.SiLU, "gelu": nn.GELU, "relu": nn.ReLU, "tanh": nn.Tanh}


class SeriesConvolution(nn.Module):
    """`(x (R, N, F), mask (R, N)) -> (R, M, W), (R, M)` with M = N / stride, rounded up.

    Entry j of the result stands for the entries `j * stride` up to the next, with the kernel centred on them, and is
    there where any of these is. So the zeros before the series are as many whatever its length, and what is appended
    to it and masked has no effect.
    """

    def __init__(self, features: int, width: int, kernel_size: int, stride: int, activation: str) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(features, width, kernel_size, stride)
        self.activation = _ACTIVATIONS[activation]()
        self.surplus, self.stride = kernel_size - stride, stride

    def forward(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Masked entries count as zeros; what they hold in the result is left to whoever reads it."""
        missing = -x.shape[1] % self.stride
        before = self.surplus // 2
        h = pad(zeroed(x, mask).mT, (before, missing + self.surplus - before))
        h = self.activation(self.convolution(h)).mT
        if mask is not None and self.stride > 1:
            mask = pad(mask, (0, missing)).unflatten(1, (-1, self.stride)).any(dim=-1)
        return h, mask
