"""What normal laws say for data sets left out of a mini-batch."""

from __future__ import annotations

import pytest
import torch

from sbicore.normal_laws import NormalLaws


def laws_at(t):
    """Noisy values at this time, and three rows of five laws of different precisions."""
    torch.manual_seed(1)
    y, t = torch.randn(3, 4, 2, dtype=torch.float64), torch.full((1, 1, 1), t, dtype=torch.float64)
    roots = torch.randn(3, 5, 2, 2, dtype=torch.float64)
    return y, t, NormalLaws(torch.randn(3, 5, 2, dtype=torch.float64), roots @ roots.mT + torch.eye(2))


def completed(y, t, laws, each, k):
    """Mean of all fields, and the sum of all precisions times their guesses, told from the field of item k."""
    middle, pull = laws.completed(y, t, each[:, [k]], torch.full((3, 1), k))
    return middle, pull + (y - t * middle) @ laws.precisions.sum(1).mT


@pytest.mark.parametrize("t", [0.01, 0.4, 0.999])
def test_where_the_laws_are_exact_any_item_tells_all(t):
    y, t, laws = laws_at(t)
    covariances, a = torch.linalg.inv(laws.precisions), 1 - t
    spread = a**2 * covariances + t**2 * torch.eye(2)
    apart = y.unsqueeze(1) - a * laws.means.unsqueeze(2)
    guesses = laws.means.unsqueeze(2) + a * apart @ torch.linalg.inv(spread) @ covariances
    each = (y.unsqueeze(1) - guesses) / t
    for k in range(5):
        middle, pull = completed(y, t, laws, each, k)
        torch.testing.assert_close(middle, each.mean(1))
        torch.testing.assert_close(pull, (guesses @ laws.precisions).sum(1))


@pytest.mark.parametrize("t", [0.01, 0.4, 0.999])
def test_the_mean_over_all_mini_batches_is_right_whatever_the_laws(t):
    y, t, laws = laws_at(t)
    each = torch.randn(3, 5, 4, 2, dtype=torch.float64)
    found = [completed(y, t, laws, each, k) for k in range(5)]
    torch.testing.assert_close(sum(middle for middle, _ in found) / 5, each.mean(1))
    torch.testing.assert_close(
        sum(pull for _, pull in found) / 5, ((y.unsqueeze(1) - t * each) @ laws.precisions).sum(1)
    )
