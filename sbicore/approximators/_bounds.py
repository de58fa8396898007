"""Draws that are not where they may be, and are drawn again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..errors import SamplingError
from ._blocks import Chunk

__all__ = ["Rejection", "outside_bounds"]

_REJECTION_ROUNDS = 100
_HOPELESS = 1_000
"""Draws, all of them outside, after which no more are made."""


class Rejection:
    """Draw again whatever is outside, in rounds of fresh randomness, within a budget.

    Args:
        outside: which draws `(R, S)` of `{name: (R, S, *event)}` may not stay.
        still: what the others do, and below it what to type, for the error of a spent budget.
    """

    def __init__(self, outside: Callable[[Mapping[str, Tensor]], Tensor], still: tuple[str, str]) -> None:
        self.outside, self.still = outside, still
        self.inside = 0
        self.tried = 0

    @property
    def acceptance(self) -> float:
        """Share of the draws so far that lay inside."""
        return self.inside / max(self.tried, 1)

    def __call__(
        self, chunk: Chunk, values: dict[str, Tensor], run: Callable[[Chunk, int], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """`values (R, S, *event)` of a chunk with every draw inside."""
        missing = self._count(values)
        for attempt in range(1, _REJECTION_ROUNDS + 1):
            if not missing.any():
                return values
            if not self.inside and self.tried >= _HOPELESS:
                break
            rows = missing.any(1).nonzero().flatten().tolist()
            fresh = run(Chunk([chunk.rows[k] for k in rows], chunk.size), attempt)
            outside = self._count(fresh)
            for j, k in enumerate(rows):
                spare, wanted = (~outside[j]).nonzero().flatten(), missing[k].nonzero().flatten()
                taken = min(len(spare), len(wanted))
                for name in values:
                    values[name][k, wanted[:taken]] = fresh[name][j, spare[:taken]]
                missing[k, wanted[:taken]] = False
        raise SamplingError(
            f"{int(missing.sum())} draws still {self.still[0]} after {self.tried} were made "
            f"(acceptance {self.acceptance:.2%}).\n{self.still[1]}"
        )

    def _count(self, values: Mapping[str, Tensor]) -> Tensor:
        outside = self.outside(values)
        self.tried += outside.numel()
        self.inside += int((~outside).sum())
        return outside


def outside_bounds(bounds: Mapping[str, Any], values: Mapping[str, Tensor]) -> Tensor:
    """Which draws `(R, S)` have any entry outside its bounds."""
    outside = torch.zeros(next(iter(values.values())).shape[:2], dtype=torch.bool)
    for name, (low, high) in bounds.items():
        value = values[name]
        bad = torch.zeros_like(value, dtype=torch.bool)
        if low is not None:
            bad |= value < torch.as_tensor(low, dtype=value.dtype)
        if high is not None:
            bad |= value > torch.as_tensor(high, dtype=value.dtype)
        outside |= bad.flatten(2).any(2) if bad.ndim > 2 else bad
    return outside
