"""Log densities in the user's space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from .._threads import suitable_threads
from ..errors import DataError
from ..randomness import RowGenerators
from ..training.progress import Progress
from ._bounds import outside_bounds
from ._checks import require_rows
from ._memory import rows_at_once
from ._pipeline import tensors_of
from ._ragged import MASK
from ._report import Cost
from ._roles import ROLES

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["log_prob"]


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
    pipeline = model.pipeline
    data = pipeline.numeric(data, "data")
    given = tensors_of(data, "data", (*pipeline.events, MASK), varying=pipeline.summarized)
    mask = {name: given.pop(name) for name in (MASK,) if name in given}
    raw = pipeline.checked(given, "data", lead=1)
    raw = {name: value.clone() if value.is_inference() else value for name, value in raw.items()}
    missing = [name for name in pipeline.events if name not in raw]
    if missing:
        raise DataError(f"data lack {listing(missing)}{did_you_mean(missing[0], data)}\nFound: {listing(data)}")
    count = require_rows(raw, "data")
    targets = {name: raw[name].expand(count, *raw[name].shape[1:]) for name in pipeline.target_names}
    observed = {name: value for name, value in raw.items() if name not in targets}
    for name, value in targets.items():
        if bool(torch.isnan(value).any()):
            raise DataError(f"data: {name!r} has NaN", variable=name)
    adapted, log_det = pipeline.log_det(targets)
    x = pipeline.joined(adapted, ROLES[:1])["inference_variables"]
    inside = ~outside_bounds(model.bounds, {name: value.unsqueeze(1) for name, value in targets.items()}).squeeze(1)
    supported = inside & torch.isfinite(x).flatten(1).all(1) & torch.isfinite(torch.as_tensor(log_det))
    x = torch.where(supported.view(-1, *[1] * (x.ndim - 1)), x, 0.0)
    z = model.standardized({"inference_variables": x})["inference_variables"]
    conditions = model.observe(observed | mask or None, "data")
    cost = Cost()
    values = torch.empty(count, dtype=torch.float64)
    step = chunk_size or max(1, rows_at_once(model) // (options.get("hutchinson") or z[0].numel()))
    model.eval()
    with (
        torch.no_grad(),
        suitable_threads(model.device) as check_threads,
        Progress(count, "log_prob", enabled=progress, unit="row") as bar,
    ):
        for start in range(0, count, step):
            check_threads()
            rows = slice(start, min(start + step, count))
            c = None
            if conditions is not None:
                c = conditions.expand(count, *conditions.shape[1:])[rows].unsqueeze(1)
            generators = RowGenerators(seed, [(i,) for i in range(rows.start, rows.stop)])
            facts: dict[str, Any] = {}
            block = z[rows].unsqueeze(1).to(model.device)
            found = model.network.log_prob(block, c, generator=generators, report=facts, **options)
            values[rows] = found.squeeze(1).double().cpu()
            cost.add(facts, 1)
            bar.update(len(block))
    if "inference_variables" in model.standardize:
        values += model.standardizer("inference_variables").log_det
    return torch.where(supported, values + log_det, -torch.inf).float(), cost.facts()
