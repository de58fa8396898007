"""Draws in blocks, from the network's space to the user's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._messages import listing
from .._threads import suitable_threads
from ..constraints import Constraint
from ..errors import SamplingError, SamplingWarning
from ..randomness import RowGenerators
from ..training.progress import Progress
from ._blocks import Chunk, block_of, chunks
from ._bounds import Rejection, outside_bounds
from ._fixed import Fixed
from ._memory import require_room, rows_at_once, run_within
from ._report import Cost

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Draw", "sample", "singly"]

Draw = Callable[[tuple[int, int], list[int], Any, dict[str, Any]], Tensor]
"""Draws `(R, S, *event)` for the observations of these numbers, from one generator each, filling in the facts."""


def sample(
    model: Approximator,
    draw: Draw,
    observations: Sequence[int],
    draws: int,
    fixed: Fixed | None = None,
    broken: Callable[[Mapping[str, Tensor]], Tensor] | None = None,
    *,
    seed: int,
    chunk_size: int | None,
    progress: bool,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Draws `{name: (O, S, *event)}` for the observations of these numbers, and the facts of a report.

    Draws `(R, S)` that are `broken` are made again.
    """
    cost = Cost()
    place = {number: k for k, number in enumerate(observations)}
    drawn_finite = True
    block = block_of(model.pipeline.event("inference_variables") or ())
    events = {name: model.pipeline.events[name] for name in model.pipeline.target_names}
    require_room(events.values(), len(place), draws)
    joined = {name: torch.empty(len(place), draws, *event, dtype=torch.float32) for name, event in events.items()}

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

    rejection = _rejection(model, broken)
    model.eval()
    with (
        torch.inference_mode(),
        suitable_threads(model.device) as check_threads,
        Progress(len(place) * draws, "sampling", enabled=progress, unit="draw") as bar,
    ):
        planned = chunks(observations, draws, chunk_size or rows_at_once(model), block)
        for chunk, drawn in run_within(planned, lambda chunk: run(chunk, 0)):
            check_threads()
            values = drawn if rejection is None else rejection(chunk, drawn, run)
            for k, (i, b) in enumerate(chunk.rows):
                for name, value in values.items():
                    joined[name][place[i], b * block : b * block + chunk.size] = value[k]
            bar.update(len(chunk.rows) * chunk.size)
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
    constraints: Sequence[Constraint] = (),
) -> Draw:
    """How a block of draws is made given one data set `observed (O, C)` each."""
    more: dict[str, Any] = {"constraints": list(constraints), **options} if constraints else dict(options)

    def draw(shape: tuple[int, int], rows: list[int], generators: Any, facts: dict[str, Any]) -> Tensor:
        conditions = None if observed is None else observed[rows].unsqueeze(1)
        given = {} if fixed is None else {"fixed": fixed.told[rows].unsqueeze(1)}
        found: Tensor = model.network.sample(shape, conditions, generator=generators, report=facts, **given, **more)
        return found

    return draw


def _rejection(model: Approximator, broken: Callable[[Mapping[str, Tensor]], Tensor] | None) -> Rejection | None:
    """What is drawn again: outside the bounds, or broken; None where all draws stay."""
    bounded = bool(model.bounds) and model.out_of_bounds == "reject"
    if broken is not None:

        def outside(values: Mapping[str, Tensor]) -> Tensor:
            return broken(values) | outside_bounds(model.bounds if bounded else {}, values)

        advice = (
            "Is there a parameter that keeps all of them? A constraint is at most 0 where it holds. Where few do, a "
            "diffusion_model leads its draws better the longer it is trained: constraint_guide='probability'."
        )
        return Rejection(outside, ("break the constraints", advice))
    if bounded:
        advice = "Train with out_of_bounds='transform', which cannot leave them, or check the observation."
        return Rejection(partial(outside_bounds, model.bounds), ("leave the bounds", advice))
    return None


def _check(model: Approximator, values: Mapping[str, Tensor], drawn_finite: bool) -> None:
    missing = model.pipeline.adapted.gives_nan
    bad = [
        name for name, value in values.items() if bool((value.isinf() if name in missing else ~value.isfinite()).any())
    ]
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
