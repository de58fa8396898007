"""Rules that score each number of a target by itself."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import softplus

__all__ = ["DifferenceRule", "MeanRule", "MedianRule", "QuantileRule"]


class DifferenceRule:
    """`|estimate - target|^k`, averaged over the target's entries.

    Args:
        statistic: what the estimate is called.
        k: 2 elicits the mean, 1 the median.
    """

    def __init__(self, statistic: str, k: float) -> None:
        self.statistic, self.k = statistic, k
        self.statistics = {statistic: "monotone" if k == 1 else "affine"}

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """One number for each of the target."""
        return {self.statistic: target}

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The raw numbers."""
        return dict(raw)

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        gap = estimates[self.statistic] - targets
        return (gap.square() if self.k == 2 else gap.abs() ** self.k).flatten(1).mean(1)


class MeanRule(DifferenceRule):
    """The squared error."""

    def __init__(self) -> None:
        super().__init__("mean", 2)

    def summarize(self, draws: Tensor) -> dict[str, Tensor]:
        """The mean of `draws (N, *event)`."""
        return {"mean": draws.mean(0)}


class MedianRule(DifferenceRule):
    """The absolute error."""

    def __init__(self) -> None:
        super().__init__("median", 1)

    def summarize(self, draws: Tensor) -> dict[str, Tensor]:
        """The median of `draws (N, *event)`."""
        return {"median": draws.quantile(0.5, dim=0)}


class QuantileRule:
    """The pinball loss at levels q, whose estimates are ordered by construction.

    The quantile of the level nearest to one half is a free number; each further one adds a positive step.
    """

    def __init__(self, q: tuple[float, ...]) -> None:
        self.q = q
        self.statistics = {"quantiles": "quantiles"}
        self.anchor = min(range(len(q)), key=lambda i: abs(q[i] - 0.5))

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """`(Q, *event)`."""
        return {"quantiles": (len(self.q), *target)}

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Numbers that increase along axis 1."""
        free, a = raw["quantiles"], self.anchor
        middle = free[:, a : a + 1]
        above = middle + softplus(free[:, a + 1 :]).cumsum(1)
        below = middle - softplus(free[:, :a]).flip(1).cumsum(1).flip(1)
        return {"quantiles": torch.cat([below, middle, above], 1)}

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`, the mean over levels and entries."""
        gap = targets.unsqueeze(1) - estimates["quantiles"]
        q = torch.tensor(self.q, dtype=gap.dtype, device=gap.device).view(1, -1, *[1] * (targets.ndim - 1))
        return torch.maximum(q * gap, (q - 1) * gap).flatten(1).mean(1)

    def summarize(self, draws: Tensor) -> dict[str, Tensor]:
        """The quantiles of `draws (N, *event)`."""
        levels = torch.tensor(self.q, dtype=draws.dtype, device=draws.device)
        return {"quantiles": draws.quantile(levels, dim=0)}
