"""A field together with the trace of its Jacobian, exact or estimated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

__all__ = ["exact_trace", "hutchinson_trace"]


def exact_trace(field: Callable[[Tensor], Tensor], x: Tensor, event_ndim: int) -> tuple[Tensor, Tensor]:
    """`v(x) (*, *event)` and `tr(dv/dx) (*)`, by one vectorised backward pass over all dimensions.

    Every leading index must be computed on its own, as networks without batch statistics do.
    """
    lead, event = x.shape[: x.ndim - event_ndim], x.shape[x.ndim - event_ndim :]
    size = event.numel()
    basis = torch.eye(size, dtype=x.dtype, device=x.device).view(size, *[1] * len(lead), *event)
    products, value = _vector_jacobian(field, x, basis.expand(size, *x.shape), event_ndim)
    rows = products.reshape(size, *lead, size)
    return value, torch.einsum("i...i->...", rows)


def hutchinson_trace(
    field: Callable[[Tensor], Tensor], x: Tensor, probes: Tensor, event_ndim: int
) -> tuple[Tensor, Tensor]:
    """`v(x)` and `e' (dv/dx) e (*, m)` for each of the probes `e (m, *, *event)` (arXiv:1810.01367, eq. 7)."""
    products, value = _vector_jacobian(field, x, probes, event_ndim)
    return value, (products * probes).flatten(-event_ndim).sum(-1).movedim(0, -1)


def _vector_jacobian(
    field: Callable[[Tensor], Tensor], x: Tensor, vectors: Tensor, event_ndim: int
) -> tuple[Tensor, Tensor]:
    """`e' (dv/dx)` for each of the vectors, and `v(x)`; differentiable where gradients are on.

    Fused attention has first derivatives alone, so the plain one stands in for it there. Of images the backward passes
    come one after the other: not all of their layers vectorise, and each pass is work enough.
    """
    graph = torch.is_grad_enabled()
    attention = sdpa_kernel(SDPBackend.MATH) if graph else nullcontext()
    with torch.enable_grad(), attention:
        x = x if graph and x.requires_grad else x.detach().requires_grad_()
        value = field(x)
        if event_ndim == 1:
            (products,) = torch.autograd.grad(value, x, vectors, is_grads_batched=True, create_graph=graph)
        else:
            passes = [torch.autograd.grad(value, x, v, retain_graph=True, create_graph=graph)[0] for v in vectors]
            products = torch.stack(passes)
    return products, value if graph else value.detach()
