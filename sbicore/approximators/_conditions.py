"""Observations as the roles of the network, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from .._messages import given_instead, listing
from ..errors import DataError
from ._checks import require_finite, require_rows
from ._masks import take_masks, unlike, warn_of_lost, with_masks
from ._misspelt import warn_of_misspelt
from ._pipeline import Pipeline, tensors_of
from ._ragged import MASK, is_mask, spread
from ._roles import ROLES

__all__ = ["checked_conditions"]


def checked_conditions(pipeline: Pipeline, conditions: Any, what: str, *, depth: int) -> dict[str, Tensor]:
    """Role tensors `(O, *event)` of all conditions, with their masks, before standardisation.

    Args:
        pipeline: a bound one.
        conditions: `{name: (O, *event)}`, data frame or labelled data set.
        what: how errors name these data.
        depth: how many calls the user's is away, for warnings.

    Raises:
        DataError, ShapeError: missing, misshapen or non-finite conditions.
    """
    names = [name for name in pipeline.events if name not in pipeline.target_names]
    if conditions is None or (isinstance(conditions, Mapping) and not conditions):
        lack = "missing" if conditions is None else "empty"
        raise DataError(f"{what} are {lack}; trained with: {', '.join(names)}")
    conditions = pipeline.numeric(conditions, what)
    if isinstance(conditions, Mapping):
        warn_of_misspelt(conditions, pipeline.events, depth=depth + 1, meant=[MASK])
    given = tensors_of(conditions, what, names, varying=pipeline.summarized)
    masks = {name: mask.unsqueeze(0) if mask.ndim == 1 else mask for name, mask in take_masks(given).items()}
    raw = pipeline.checked({name: given[name] for name in names if name in given}, what, lead=1)
    missing = [name for name in names if name not in raw]
    if missing:
        others = [name for name in spread(conditions) if not is_mask(name)]
        spare = [name for name in others if name not in names]
        raise DataError(
            f"{what} lack {listing(missing)}{given_instead(missing[0], spare)}\n"
            f"Found: {listing(others)}; trained with: {listing(names)}",
            variable=missing[0],
        )
    rows = require_rows(raw | unlike(masks, raw), what)
    raw, masks = (
        {name: value.expand(rows, *value.shape[1:]) for name, value in found.items()} for found in (raw, masks)
    )
    joined = with_masks(pipeline, raw, pipeline.forward(raw, ROLES[1:]), masks, what)
    require_finite(pipeline, raw, joined, what)
    warn_of_lost(pipeline, joined, what, depth=depth + 1)
    return joined
