"""Draws in blocks, from the network's space to the user's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._messages import listing
from .._threads import suitable_threads
from ..constraints import Constraint
from ..errors import SamplingError, SamplingWarning
from ..randomness import RowGenerators
from ..training.progress import Progress
from ._blocks import Chunk, chunks
from ._bounds import Rejection, outside_bounds
from ._fixed import Fixed
from ._report import Cost

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Draw", "rows_at_once", "sample", "singly"]

Draw = Callable[[tuple[int, int], list[int], Any, dict[str, Any]], Tensor]
"""Draws `(R, S, *event)` for the observations of these numbers, from one generator each, filling in the facts."""

_CPU_ROWS, _ACCELERATOR_ROWS = 1_000, 200_000


def sample(
    model: Approximator,
    draw: Draw,
    observations: int,
    draws: int,
    fixed: Fixed | None = None,
    *,
    seed: int,
    chunk_size: int | None,
    progress: bool,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Draws `{name: (O, S, *event)}` and the facts of a report."""
    cost = Cost()
    drawn_finite = True

    def run(chunk: Chunk, attempt: int) -> dict[str, Tensor]:
        nonlocal drawn_finite
        rows = [i for i, _ in chunk.rows]
        generators = RowGenerators(seed, [(i, b, attempt) for i, b in chunk.rows])
        facts: dict[str, Any] = {}
        z = draw((len(chunk.rows), chunk.size), rows, generators, facts).cpu()
        cost.add(facts, chunk.size)
        drawn_finite &= bool(torch.isfinite(z).all())
        values = model.to_user_space(z)
        return values if fixed is None else fixed.put_into(values, rows)

    rejection = Rejection(model.bounds) if model.bounds and model.out_of_bounds == "reject" else None
    parts: dict[tuple[int, int], dict[str, Tensor]] = {}
    model.eval()
    with (
        torch.inference_mode(),
        suitable_threads(model.device) as check_threads,
        Progress(observations * draws, "sampling", enabled=progress, unit="draw") as bar,
    ):
        for chunk in chunks(observations, draws, chunk_size or rows_at_once(model)):
            check_threads()
            values = run(chunk, 0)
            if rejection is not None:
                values = rejection(chunk, values, run)
            for k, row in enumerate(chunk.rows):
                parts[row] = {name: value[k] for name, value in values.items()}
            bar.update(len(chunk.rows) * chunk.size)
    joined = _assemble(parts, observations)
    _check(model, joined, drawn_finite)
    facts = cost.facts()
    if rejection is not None:
        facts["acceptance"] = rejection.acceptance
    return joined, facts


def singly(
    model: Approximator,
    observed: Tensor | None,
    options: Mapping[str, Any],
    fixed: Fixed | None = None,
    constraints: list[Constraint] | None = None,
) -> Draw:
    """How a block of draws is made given one data set `observed (O, C)` each."""
    more: dict[str, Any] = {"constraints": constraints, **options} if constraints else dict(options)

    def draw(shape: tuple[int, int], rows: list[int], generators: Any, facts: dict[str, Any]) -> Tensor:
        conditions = None if observed is None else observed[rows].unsqueeze(1)
        given = {} if fixed is None else {"fixed": fixed.told[rows].unsqueeze(1)}
        found: Tensor = model.network.sample(shape, conditions, generator=generators, report=facts, **given, **more)
        return found

    return draw


def rows_at_once(model: Approximator) -> int:
    """Draws of one call of the network: few enough for the cache, or plenty on an accelerator."""
    return _CPU_ROWS if model.device.type == "cpu" else _ACCELERATOR_ROWS


def _assemble(parts: dict[tuple[int, int], dict[str, Tensor]], observations: int) -> dict[str, Tensor]:
    blocks = 1 + max(b for _, b in parts)
    return {
        name: torch.stack([torch.cat([parts[i, b][name] for b in range(blocks)]) for i in range(observations)])
        for name in parts[0, 0]
    }


def _check(model: Approximator, values: Mapping[str, Tensor], drawn_finite: bool) -> None:
    bad = [name for name, value in values.items() if not bool(torch.isfinite(value).all())]
    if bad:
        raise SamplingError(
            f"draws of {listing(bad)} are not finite.\n"
            + (
                "The adapter's inverse overflows: train longer, or give bounds to these variables."
                if drawn_finite
                else "The network's own draws are not: compare the conditions with those of the training, or train "
                "again with a lower learning_rate."
            )
        )
    if model.bounds and model.out_of_bounds == "warn":
        outside = outside_bounds(model.bounds, values)
        if outside.any():
            warnings.warn(
                f"{int(outside.sum())} of {outside.numel()} draws leave the bounds.", SamplingWarning, stacklevel=4
            )
