"""A field whose draws keep constraints `c(x) <= 0`.

At a noisy value y, with the guess x and the covariance C of the data behind it, the constraint holds with probability
`Phi(-c(x) / tau)`, `tau² = grad c' C grad c`, exactly so where the data are normal and c is linear. Its logarithm's
gradient in y, taken through the guess, adds to the score, as the likelihood of a measurement does in arXiv:2209.14687.
By Tweedie's formula `C = (sigma² / alpha) dx/dy`, so that `tau²` is the product of the gradients of c in y and in x,
and one backward pass tells both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Constraint", "constrained"]

Constraint = Callable[[Tensor], Tensor]
"""`x (R, S, *event) -> (R, S)`, differentiable; at most 0 where it holds."""

_LEAST_NOISE, _LEAST_SIGNAL = 2e-4, 1e-2
"""Shares below are taken as these."""
_WIDEST = 2.0
"""Most variance of the data, which are standardised: what a trained field says beyond that is its error."""
_ALIGNED = 0.1
"""Least cosine between the gradients in x and in y."""
_NARROWEST = 1e-4
"""Least variance of the data behind a noisy value, as a share of the noise's."""


def constrained(
    field: Callable[[Tensor, Tensor, Any], Tensor], constraints: list[Constraint], guide: str, strength: float
) -> Callable[[Tensor, Tensor, Any], Tensor]:
    """The field `(t, y, rows) -> v` with the constraints' part of the score, `v - t / (1 - t) * gradient`.

    Args:
        field: the field without.
        constraints: one or more; their parts add.
        guide: `probability`, as above, or `softplus`: of `softplus(c alpha² / sigma²)`, and in x alone, as is usual;
            its draws are not those of the truncated posterior.
        strength: factor of the gradient.
    """
    pull = _probability if guide == "probability" else _softplus

    def guided(t: Tensor, y: Tensor, rows: Any) -> Tensor:
        with torch.inference_mode(False), torch.enable_grad():
            y, t = y.detach().clone().requires_grad_(), t.clone()
            noise = t.clamp_min(_LEAST_NOISE).reshape(-1, *[1] * (y.ndim - 1))
            signal = (1 - t).clamp_min(_LEAST_SIGNAL).reshape(noise.shape)
            v = field(t, y, rows)
            guess = y - noise * v
            total = torch.zeros_like(y)
            for constraint in constraints:
                total += pull(constraint, y, guess, noise, signal)
        return v.detach() - strength * noise / signal * total

    return guided


def _probability(constraint: Constraint, y: Tensor, guess: Tensor, noise: Tensor, signal: Tensor) -> Tensor:
    value, along = _gradient(constraint, guess)
    (through,) = torch.autograd.grad(guess, y, along, retain_graph=True)
    n, s = noise.flatten(1), signal.flatten(1)
    flat, pulled = along.flatten(2), through.flatten(2)
    size, length = flat.norm(dim=-1), pulled.norm(dim=-1).clamp_min(torch.finfo(y.dtype).tiny)
    limit = (_WIDEST * s / (n.square() + _WIDEST * s.square()) * size / length).clamp_max(1.0)
    own = (pulled * flat).sum(-1)
    spread = torch.maximum(own, _ALIGNED * size * length) * limit / s
    tau = n * torch.maximum(spread, _NARROWEST * size.square()).sqrt().clamp_min(torch.finfo(y.dtype).tiny)
    ratio = value / tau
    hazard = (-ratio.square() / 2 - math.log(2 * math.pi) / 2 - torch.special.log_ndtr(-ratio)).exp()
    return -(hazard * limit / tau).reshape(*hazard.shape, *[1] * (y.ndim - 2)) * through


def _softplus(constraint: Constraint, y: Tensor, guess: Tensor, noise: Tensor, signal: Tensor) -> Tensor:
    value, along = _gradient(constraint, guess)
    scale = (signal / noise).square()
    slope = torch.sigmoid(scale.reshape(-1, 1) * value).reshape(*value.shape, *[1] * (y.ndim - 2))
    return -scale * slope * along


def _gradient(constraint: Constraint, guess: Tensor) -> tuple[Tensor, Tensor]:
    """The constraint at the guess, and its gradient there."""
    x = guess.detach().requires_grad_()
    value = constraint(x)
    (along,) = torch.autograd.grad(value.sum(), x)
    return value.detach(), along
