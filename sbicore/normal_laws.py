"""Normal laws in the place of the posteriors of single data sets, and what they say of data seen through noise."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["NormalLaws"]


class NormalLaws(NamedTuple):
    """The normal laws nearest to n posteriors, for each row.

    Attributes:
        means: `(R, n, D)`.
        precisions: `(R, n, D, D)`.
    """

    means: Tensor
    precisions: Tensor

    def rows(self, rows: Tensor) -> NormalLaws:
        """These rows alone."""
        return NormalLaws(self.means[rows], self.precisions[rows])

    def completed(self, y: Tensor, t: Tensor, each: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        """From the fields of some data sets to all: those of the laws, and what the fields of the chosen ones add.

        Laws that are exact leave nothing to add, whichever data sets are chosen: they are a control variate
        (arXiv:1706.05439), and the estimate has the mean of all fields whatever the laws are.

        Args:
            y: noisy values `(R, S, D)` in double precision.
            t: times `(R or 1, 1, 1)`.
            each: fields `(R, m, S, D)` of the chosen data sets.
            places: which these are, `(R, m)`.

        Returns:
            The mean of all fields, and the sum of all precisions times the way from its guess to that of each,
            `(R, S, D)` both.
        """
        precisions = self.precisions.double()
        alpha, time = 1 - t, t.unsqueeze(1)
        noisy = precisions + (alpha / t).unsqueeze(1) ** 2 * torch.eye(y.shape[-1], dtype=y.dtype, device=y.device)
        gains = torch.linalg.inv(noisy)
        starts = (gains @ precisions @ self.means.double().unsqueeze(-1)).squeeze(-1)
        gains = gains * (alpha / t**2).unsqueeze(1)

        row, share = torch.arange(len(places), device=y.device)[:, None], self.means.shape[1] / places.shape[1]
        there = torch.einsum("rkij,rsj->rksi", gains[row, places], y) + starts[row, places].unsqueeze(2)
        more = y.unsqueeze(1) - time * each - there
        guess = y @ gains.mean(1).mT + starts.mean(1, keepdim=True) + more.mean(1)
        pull = y @ (precisions @ gains).sum(1).mT + torch.einsum("rkij,rkj->ri", precisions, starts).unsqueeze(1)
        pull = pull + share * torch.einsum("rkij,rksj->rsi", precisions[row, places], more)
        return (y - guess) / t, pull - guess @ precisions.sum(1).mT
