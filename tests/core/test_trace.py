"""Traces of Jacobians, exact and estimated."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from sbicore.trace import exact_trace, hutchinson_trace


def test_the_exact_trace_is_the_trace_of_the_jacobian():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 4)).double()
    x = torch.randn(3, 5, 4, dtype=torch.float64)
    value, trace = exact_trace(net, x, 1)
    expected = torch.stack([torch.trace(torch.autograd.functional.jacobian(net, row)) for row in x.reshape(15, 4)])
    torch.testing.assert_close(trace.reshape(15), expected)
    torch.testing.assert_close(value, net(x).detach())


def test_the_hutchinson_trace_is_unbiased():
    """Mean of 20,000 probes within four standard errors of the exact trace."""
    torch.manual_seed(0)
    matrix = torch.randn(4, 4, dtype=torch.float64)
    probes = torch.randn(20_000, 1, 4, dtype=torch.float64).sign()
    _, trace = hutchinson_trace(lambda x: x @ matrix.T, torch.randn(1, 4, dtype=torch.float64), probes, 1)
    off_diagonal = matrix + matrix.T
    sd = float(off_diagonal.triu(1).pow(2).sum().sqrt())
    assert float(trace.mean()) == pytest.approx(float(matrix.trace()), abs=4 * sd / math.sqrt(20_000))
