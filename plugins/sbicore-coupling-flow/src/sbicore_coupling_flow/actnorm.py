"""Activation normalisation: an affine map of each coordinate, set by the first batch (arXiv:1807.03039, sect. 3.1)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

__all__ = ["ActNorm"]

_LEAST_SD = 1e-6


class ActNorm(nn.Module):
    """`z = exp(log_scale) x + shift`; after the first batch in training, z has mean 0 and deviation 1 on it.

    Coordinates that do not vary in that batch, as in a batch of one, are centred only.
    """

    initialized: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(size))
        self.shift = nn.Parameter(torch.zeros(size))
        self.register_buffer("initialized", torch.tensor(False))
        self.is_settled = False
        self.register_load_state_dict_post_hook(_forget)

    def forward(self, x: Tensor, conditions: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """`z` and the log determinant: `(*, D) -> (*, D), ()`."""
        if self.training and not self.is_settled:
            self._initialize(x.detach())
        return x * self.log_scale.exp() + self.shift, self.log_scale.sum()

    def inverse(self, z: Tensor, conditions: Tensor | None = None) -> Tensor:
        """`x` from `z`."""
        return (z - self.shift) * (-self.log_scale).exp()

    @torch.no_grad()
    def _initialize(self, x: Tensor) -> None:
        if not self.initialized:
            rows = x.reshape(-1, x.shape[-1])
            sd = rows.std(0, correction=0)
            log_scale = torch.where(sd > _LEAST_SD, -sd.log(), 0.0)
            if bool(rows.isfinite().all()):
                self.log_scale.copy_(log_scale)
                self.shift.copy_(-rows.mean(0) * log_scale.exp())
                self.initialized.fill_(True)
        self.is_settled = bool(self.initialized)


def _forget(module: Any, incompatible: Any) -> None:
    """Loaded weights bring their own answer to whether they are initialised."""
    module.is_settled = False
