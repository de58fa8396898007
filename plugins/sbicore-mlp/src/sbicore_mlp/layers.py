"""The residual layer that both perceptrons are stacks of."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

__all__ = ["ResidualLayer", "activation", "norm"]

_ACTIVATIONS = {
    "silu": nn.SiLU,
    "gelu": nn.GELU,
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "mish": nn.Mish,
    "hard_silu": nn.Hardswish,
}
_NORMS = {"layer": nn.LayerNorm, "rms": nn.RMSNorm}


class LayerSettings(Protocol):
    """The hyperparameters that a layer needs; both configs have them."""

    @property
    def activation(self) -> str: ...
    @property
    def norm(self) -> str | None: ...
    @property
    def residual(self) -> bool: ...
    @property
    def gated(self) -> bool: ...
    @property
    def dropout(self) -> float: ...


def activation(name: str) -> nn.Module:
    """The activation of this name."""
    return _ACTIVATIONS[name]()


def norm(name: str | None, width: int) -> nn.Module:
    """The normalisation of this name; None changes nothing."""
    return nn.Identity() if name is None else _NORMS[name](width)


class ResidualLayer(nn.Module):
    """`skip(x) + dropout(act(h))` with `h = scale * W norm(x) + shift`; without them scale = 1, shift = 0.

    A gated layer has an h of twice the width, (a, b), and `V (act(a) * b)` in the place of `act(h)`
    (arXiv:2002.05202, eq. 6).
    """

    def __init__(self, config: LayerSettings, width_in: int, width: int) -> None:
        super().__init__()
        self.norm = norm(config.norm, width_in)
        self.modulated = 2 * width if config.gated else width
        self.linear = nn.Linear(width_in, self.modulated)
        self.after_gate = nn.Linear(width, width) if config.gated else None
        self.activation = activation(config.activation)
        self.dropout = nn.Dropout(config.dropout) if config.dropout else nn.Identity()
        self.residual = config.residual
        self.skip = nn.Linear(width_in, width) if config.residual and width_in != width else nn.Identity()

    def forward(self, x: Tensor, shift: Tensor | None = None, scale: Tensor | None = None) -> Tensor:
        """`(*, width_in) -> (*, width)`; shift and scale broadcast against `(*, modulated)`."""
        h = self.linear(self.norm(x))
        if shift is not None:
            h = h + shift if scale is None else torch.addcmul(shift, h, scale)
        if self.after_gate is None:
            h = self.activation(h)
        else:
            a, b = h.chunk(2, dim=-1)
            h = self.after_gate(self.activation(a) * b)
        h = self.dropout(h)
        return self.skip(x) + h if self.residual else h
