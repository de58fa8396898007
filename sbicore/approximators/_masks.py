"""Which entries of sets and series are there, and which conditions were measured."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import ConfigError, DataError, ShapeError
from ._ragged import MASK, is_ragged

if TYPE_CHECKING:
    from ._pipeline import Pipeline

__all__ = ["MASKS", "MISSING", "cannot_mask", "has_masks", "require_one_length", "with_masks", "without_entries"]

CONDITION_MASK = "condition_mask"
MASKS = {"inference_conditions": CONDITION_MASK, "summary_variables": MASK}
"""Under which name the mask of a role goes along with it."""
MISSING = (None, "mask")


def cannot_mask(name: str) -> ConfigError:
    """The error for a summary network that takes no mask."""
    from ..registry import plugins

    able = ", ".join(row["name"] for row in plugins("summary_network", capability="masks"))
    return ConfigError(f"{name!r} cannot leave entries out\nSummary networks with masks: {able or 'none installed'}")


def with_masks(
    pipeline: Pipeline, raw: Mapping[str, Tensor], joined: dict[str, Tensor], mask: Tensor | None, what: str
) -> dict[str, Tensor]:
    """Role tensors with zeros where there is nothing, and a mask beside each role that may have such places.

    Args:
        raw: the user's variables `(N, *event)`; with `missing="mask"`, what is NaN there is missing.
        joined: role tensors `(N, *event)`.
        mask: `(N, L)`, which entries of sets or series are there; None: all.

    Raises:
        DataError, ShapeError: a mask that fits nothing.
    """
    result = dict(joined)
    x = joined.get("summary_variables")
    if mask is not None and x is None:
        raise DataError(
            f"{what} have {MASK!r}, and no summary network that could read it\n"
            "Give summary_network='deep_set', or 'time_series_network', and summary_variables=[...]."
        )
    if x is not None and (mask is not None or pipeline.masking):
        there = _checked(mask, x, what)
        if pipeline.missing == "mask":
            there = there & ~_missing(raw, x).any(-1)
        result |= {MASK: there, "summary_variables": x.masked_fill(~there.unsqueeze(-1), 0.0)}
    conditions = joined.get("inference_conditions")
    if conditions is not None and pipeline.missing == "mask":
        gone = _missing(raw, conditions)
        result |= {CONDITION_MASK: ~gone, "inference_conditions": conditions.masked_fill(gone, 0.0)}
    return result


def has_masks(data: Mapping[str, Any]) -> bool:
    """Whether rows differ in length, or come with a mask."""
    return MASK in data or any(is_ragged(value) for value in data.values())


def require_one_length(pipeline: Pipeline, joined: Mapping[str, Tensor]) -> None:
    """Raise DataError where a later batch has entries of another number than the first, and nothing masks them."""
    expected, found = pipeline.event("summary_variables"), joined.get("summary_variables")
    if pipeline.masking or found is None:
        return
    if MASK in joined or tuple(found.shape[1:]) != expected:
        raise DataError(
            f"summary_variables are of shape {tuple(found.shape[1:])} now, and of {expected} in the first batch\n"
            "Where sets or series differ in length from batch to batch, say so: build(..., missing='mask')."
        )


def without_entries(joined: Mapping[str, Tensor]) -> Tensor | None:
    """Rows `(N,)` of which every entry is masked; None where nothing is masked."""
    return None if MASK not in joined else ~joined[MASK].flatten(1).any(1)


def _checked(mask: Tensor | None, x: Tensor, what: str) -> Tensor:
    if mask is None:
        return torch.ones(x.shape[:-1], dtype=torch.bool)
    if mask.shape != x.shape[:-1]:
        raise ShapeError(
            f"{what}: {MASK!r} has shape {tuple(mask.shape)}, and summary_variables have {tuple(x.shape)}\n"
            f"Expected {tuple(x.shape[:-1])}: for each entry, whether it is there.",
            variable=MASK,
            expected=tuple(x.shape[:-1]),
            got=tuple(mask.shape),
        )
    if mask.dtype != torch.bool and not bool(((mask == 0) | (mask == 1)).all()):
        raise DataError(f"{what}: {MASK!r} holds other values than 0 and 1", variable=MASK)
    return mask.bool()


def _missing(raw: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Where `x` is NaN, in rows that the user gave with NaN; elsewhere the adapter left its domain."""
    given = torch.zeros(len(x), dtype=torch.bool)
    for value in raw.values():
        given |= torch.isnan(value).reshape(len(value), -1).any(1)
    return torch.isnan(x) & given.view(-1, *[1] * (x.ndim - 1))
