"""Log densities in the user's space, and other numbers of pairs of parameters and observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from .._messages import given_instead, listing
from .._threads import suitable_threads
from ..errors import DataError
from ..randomness import RowGenerators
from ..training.progress import Progress
from ._bounds import outside_bounds
from ._checks import require_rows
from ._masks import take_masks
from ._memory import rows_at_once
from ._misspelt import warn_of_misspelt
from ._pipeline import tensors_of
from ._ragged import MASK
from ._report import Cost
from ._roles import ROLES

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Pairs", "in_blocks", "log_prob", "pairs"]


class Pairs(NamedTuple):
    """Parameters and observations as the network takes them."""

    z: Tensor
    """`(N, *event)`, zero where unsupported."""
    conditions: Tensor | None
    """`(N, C)`, or `(1, C)` for all rows."""
    supported: Tensor
    """`(N,)`, whether parameters are inside the bounds and the domain of the adapter."""
    log_det: Tensor
    """`(N,)` or `()`, `log|det dz/dtheta|` of the user's variables; of the standardisation alone without `density`."""


@torch.inference_mode(False)
def log_prob(
    model: Approximator,
    data: Mapping[str, Any],
    *,
    seed: int,
    chunk_size: int | None,
    progress: bool,
    options: Mapping[str, Any],
) -> tuple[Tensor, dict[str, Any]]:
    """Log densities `(N,)` and the facts of a report; minus infinity outside the support."""
    given = pairs(model, data)
    cost = Cost()

    def density(z: Tensor, c: Tensor | None, rows: range) -> Tensor:
        generators = RowGenerators(seed, [(i,) for i in rows])
        facts: dict[str, Any] = {}
        found: Tensor = model.network.log_prob(z, c, generator=generators, report=facts, **options)
        cost.add(facts, 1)
        return found

    step = chunk_size or max(1, rows_at_once(model) // (options.get("hutchinson") or given.z[0].numel()))
    values = in_blocks(model, given, density, what="log_prob", step=step, progress=progress)
    return torch.where(given.supported, values + given.log_det, -torch.inf).float(), cost.facts()


@torch.inference_mode(False)
def pairs(model: Approximator, data: Mapping[str, Any], *, density: bool = True) -> Pairs:
    """Checked rows of inferred variables and conditions; without `density`, of variables that may have none.

    Raises:
        DataError, ShapeError: missing, misshapen or NaN.
    """
    pipeline = model.pipeline
    data = pipeline.numeric(data, "data")
    if isinstance(data, Mapping):
        warn_of_misspelt(data, pipeline.events, depth=6, meant=[MASK])
    given = tensors_of(data, "data", pipeline.events, varying=pipeline.summarized)
    masks = take_masks(given)
    raw = pipeline.checked(given, "data", lead=1)
    raw = {name: value.clone() if value.is_inference() else value for name, value in raw.items()}
    missing = [name for name in pipeline.events if name not in raw]
    if missing:
        raise DataError(f"data lack {listing(missing)}{given_instead(missing[0], data)}\nFound: {listing(data)}")
    count = require_rows(raw, "data")
    targets = {name: raw[name].expand(count, *raw[name].shape[1:]) for name in pipeline.target_names}
    observed = {name: value for name, value in raw.items() if name not in targets}
    for name, value in targets.items():
        if bool(torch.isnan(value).any()):
            raise DataError(f"data: {name!r} has NaN", variable=name)
    adapted, log_det = pipeline.log_det(targets) if density else (pipeline.adapted.forward(targets), 0.0)
    x = pipeline.joined(adapted, ROLES[:1])["inference_variables"]
    inside = ~outside_bounds(model.bounds, {name: value.unsqueeze(1) for name, value in targets.items()}).squeeze(1)
    supported = inside & torch.isfinite(x).flatten(1).all(1) & torch.isfinite(torch.as_tensor(log_det))
    x = torch.where(supported.view(-1, *[1] * (x.ndim - 1)), x, 0.0)
    z = model.standardized({"inference_variables": x})["inference_variables"]
    conditions = model.observe(observed | masks or None, "data")
    total = torch.as_tensor(log_det).double()
    if "inference_variables" in model.standardize:
        total = total + model.standardizer("inference_variables").log_det
    return Pairs(z, conditions, supported, total)


@torch.inference_mode(False)
def in_blocks(
    model: Approximator,
    given: Pairs,
    evaluate: Callable[[Tensor, Tensor | None, range], Tensor],
    *,
    what: str,
    step: int,
    progress: bool,
) -> Tensor:
    """`evaluate(z (R, 1, *event), conditions (R, 1, C), rows) -> (R, 1)` of all rows, `(N,)` in float64."""
    count = len(given.z)
    values = torch.empty(count, dtype=torch.float64)
    model.eval()
    with (
        torch.no_grad(),
        suitable_threads(model.device) as check_threads,
        Progress(count, what, enabled=progress, unit="row") as bar,
    ):
        for start in range(0, count, step):
            check_threads()
            rows = range(start, min(start + step, count))
            c = given.conditions
            if c is not None:
                c = c.expand(count, *c.shape[1:])[rows.start : rows.stop].unsqueeze(1)
            block = given.z[rows.start : rows.stop].unsqueeze(1).to(model.device)
            values[rows.start : rows.stop] = evaluate(block, c, rows).squeeze(1).double().cpu()
            bar.update(len(rows))
    return values
