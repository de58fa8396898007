"""Coupling layers: one half of the coordinates decides how the other is transformed, and then the other way round."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from sbicore.backbone import Backbone
from sbicore.shapes import Shapes

__all__ = ["DualCoupling"]


class DualCoupling(nn.Module):
    """Both halves transformed in turn (arXiv:1605.08803, sect. 3.4); the identity at initialisation.

    A single coordinate has no other half: the conditions alone decide, and without them a constant.

    Args:
        subnet: config of the subnet; each half has its own.
        transform: `size`, `forward` and `inverse`, as `Affine` and `Spline` have.
        size: number of coordinates D.
        conditions: event shape of the conditions, or None.
    """

    def __init__(self, subnet: Any, transform: Any, size: int, conditions: tuple[int, ...] | None) -> None:
        super().__init__()
        self.cut = size // 2
        self.transform = transform
        self.second = _parameters(subnet, transform.size, self.cut, size - self.cut, conditions)
        self.first = _parameters(subnet, transform.size, size - self.cut, self.cut, conditions) if self.cut else None

    def forward(self, x: Tensor, conditions: Tensor | None) -> tuple[Tensor, Tensor]:
        """`z (*, D)` and the log determinant `(*)`."""
        one, two = x.split((self.cut, x.shape[-1] - self.cut), dim=-1)
        two, log_det = self.transform.forward(two, self._raw(self.second, one, conditions))
        log_det = log_det.sum(-1)
        if self.first is None:
            return two, log_det
        one, other = self.transform.forward(one, self._raw(self.first, two, conditions))
        return torch.cat([one, two], dim=-1), log_det + other.sum(-1)

    def inverse(self, z: Tensor, conditions: Tensor | None) -> Tensor:
        """`x (*, D)` from `z`."""
        one, two = z.split((self.cut, z.shape[-1] - self.cut), dim=-1)
        if self.first is not None:
            one = self.transform.inverse(one, self._raw(self.first, two, conditions))
        two = self.transform.inverse(two, self._raw(self.second, one, conditions))
        return torch.cat([one, two], dim=-1)

    def _raw(self, parameters: Backbone, given: Tensor, conditions: Tensor | None) -> Tensor:
        """Raw parameters `(*, d, size)` from the other half and the conditions."""
        if given.shape[-1]:
            raw = parameters(given, None, conditions)
        else:
            raw = parameters(given.new_ones(1) if conditions is None else conditions)
        return raw.to(given.dtype).unflatten(-1, (-1, self.transform.size))


def _parameters(subnet: Any, each: int, given: int, transformed: int, conditions: tuple[int, ...] | None) -> Backbone:
    """The backbone that makes `each` raw parameters for every transformed coordinate."""
    if not given:
        given, conditions = (conditions[-1] if conditions else 1), None
    return Backbone(subnet, Shapes(target=(given,), conditions=conditions, time=False, output=transformed * each))
