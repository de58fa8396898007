"""Mini-batch optimal transport: which noise goes with which data.

The data stay where they are; the rows of noise are permuted, so that each is used once and every
batch keeps exactly the noise that was drawn. The cost of giving noise `e_i` to data `x_j` is
`|e_i - x_j|^2 + w |c_i - c_j|^2`, where noise i starts out with the condition of data i: with w = 0
(arXiv:2302.00482) noise and conditions become dependent, while draws start from noise that is not
(arXiv:2503.10636). As w grows, noise moves between data of ever closer conditions only
(arXiv:2403.18705, arXiv:2404.04240). Squared distances suit standardised conditions of any size,
where the cosine of embeddings would drop their length, and in one dimension keep nothing but the sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor

from .transport_options import TransportOptions

__all__ = ["pairing", "repaired"]

_REGULARIZATION, _STEPS = 0.05, 100
_UNEVEN = 0.01
"""Sinkhorn stops when its marginals are uniform up to this share (root mean square)."""
_SAME = 1e-12
"""Squared distances below this share of the largest squared norm are rounding errors."""


def repaired(
    noise: Tensor,
    targets: Tensor,
    conditions: Tensor | None,
    options: TransportOptions,
    generator: Generator | None = None,
) -> Tensor:
    """The rows of `noise (B, *event)`, permuted so that row i goes with row i of `targets (B, *event)`.

    Rows are paired within consecutive blocks of at most `block_size` rows and sizes as equal as
    possible; batches come in random order already. It runs on the CPU, in float64, and is
    differentiable in the noise.
    """
    noises, data = _array(noise), _array(targets)
    given = None if conditions is None else _array(conditions)
    rng = None
    if options.method == "sinkhorn" or options.partial_factor < 1:
        device = None if generator is None else generator.device
        rng = np.random.default_rng(int(torch.randint(2**63 - 1, (), generator=generator, device=device)))
    count = len(noise)
    blocks = np.array_split(np.arange(count), -(-count // options.block_size))
    partners = [
        block[pairing(noises[block], data[block], None if given is None else given[block], options, rng)]
        for block in blocks
    ]
    return noise[torch.from_numpy(np.concatenate(partners)).to(noise.device)]


def pairing(
    noise: Any,
    targets: Any,
    conditions: Any,
    options: TransportOptions,
    rng: Any = None,
) -> np.ndarray:
    """The noise row of each data row: `(n, D), (n, D), (n, C) or None -> (n,)`, a permutation.

    Where a value is not finite, or all cost the same nothing, each row keeps its own noise.

    Args:
        rng: a NumPy generator, needed by `sinkhorn` and by `partial_factor < 1`.
    """
    count = len(noise)
    if count == 1:
        return np.zeros(1, dtype=np.intp)
    with np.errstate(over="ignore", invalid="ignore"):
        cost = _squared_distances(noise, targets)
        scale = cost.mean()
        if conditions is not None and options.condition_ratio is not None:
            cost = _conditional(cost, conditions - conditions.mean(0), options.condition_ratio)
        usable = np.isfinite(cost.sum()) and scale > 0
    if not usable:
        return np.arange(count)
    spare = count - max(1, round(options.partial_factor * count))
    if spare:
        cost = np.pad(cost, (0, spare))
        cost[count:, count:] = cost.max() + 1
    if options.method == "exact":
        partners = _cheapest(cost)[:count]
    else:
        regularization = scale * (options.regularization or _REGULARIZATION)
        partners = _drawn(cost, regularization, options.max_steps or _STEPS, spare, rng)[:count]
    if spare:
        partners[partners >= count] = rng.permutation(np.setdiff1d(np.arange(count), partners))
    return partners


def _conditional(cost: np.ndarray, conditions: np.ndarray, ratio: float) -> np.ndarray:
    """The cost with distances of conditions, weighted so that this share of the pairs attract each other.

    Noise i is attracted by data j != i while `C_ij + w d_ij <= C_ii`, that is up to the weight
    `(C_ii - C_ij) / d_ij`; the weight wanted is a quantile of these. Pairs of equal conditions
    attract each other at any weight: where they alone exceed the share, no others are made.
    """
    count = len(cost)
    away = _squared_distances(conditions, conditions)
    away[away <= _SAME * np.square(conditions).sum(1).max()] = 0
    gain = cost.diagonal()[:, None] - cost
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = gain / away
    weights[(away == 0) & (gain == 0)] = np.inf
    np.fill_diagonal(weights, -np.inf)
    wanted = max(1, round(ratio * count * (count - 1)))
    weight = np.partition(weights, count**2 - wanted, axis=None)[count**2 - wanted]
    if weight == np.inf:
        apart = away[away > 0]
        weight = count * np.ptp(cost) / apart.min() if apart.size else 0
    return cost + max(weight, 0) * away


def _cheapest(cost: np.ndarray) -> np.ndarray:
    """The assignment of least cost: the row of each column."""
    from scipy.optimize import linear_sum_assignment

    return np.argsort(linear_sum_assignment(cost)[1])


def _drawn(cost: np.ndarray, regularization: float, steps: int, spare: int, rng: Any) -> np.ndarray:
    """Pairs drawn from the entropic plan without replacement: the row of each column.

    One pair after the other is drawn from what is left of the plan, and takes its row and its column
    away. So each row is used once, however far the plan is from convergence, and single pairs
    follow the plan up to what the earlier ones took.
    """
    import ot

    size = len(cost)
    uniform = np.full(size, 1 / size)
    with np.errstate(over="ignore"):
        _, log = ot.sinkhorn(
            uniform,
            uniform,
            cost,
            regularization,
            method="sinkhorn_log",
            numItermax=steps,
            stopThr=_UNEVEN / np.sqrt(size),
            warn=False,
            log=True,
        )
    keys = log["log_u"][:, None] + log["log_v"] - cost / regularization + rng.gumbel(size=cost.shape)
    keys[size - spare :] = keys[:, size - spare :] = -np.inf
    partners = np.full(size, size)
    for _ in range(size - 2 * spare):
        row, column = divmod(keys.argmax(), size)
        partners[column] = row
        keys[row] = keys[:, column] = -np.inf
    return partners


def _squared_distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """`(n, D), (m, D) -> (n, m)`."""
    products = left @ (-2 * right.T)
    products += np.square(left).sum(1)[:, None]
    products += np.square(right).sum(1)
    return products


def _array(rows: Tensor) -> np.ndarray:
    return np.asarray(rows.detach().flatten(1).to("cpu", torch.float64).numpy())
