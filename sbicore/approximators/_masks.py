"""Which entries of sets and series are there, and which conditions were measured."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from ..errors import DataError, DataWarning, ShapeError
from ._ragged import MASK, is_mask, is_ragged, mask_name, merge_masks, spread
from ._roles import ROLES, role_of

if TYPE_CHECKING:
    from ._pipeline import Pipeline

__all__ = [
    "MISSING",
    "lost_features",
    "mask_of",
    "masked_names",
    "not_finite",
    "require_one_length",
    "take_masks",
    "there_alone",
    "unlike",
    "warn_of_lost",
    "with_masks",
    "without_entries",
]

_MASKS = {"inference_conditions": "condition_mask", "summary_variables": MASK}
MISSING = (None, "mask")


def mask_of(part: str) -> str:
    """Under which name the mask of a part goes along with it; no such name for targets."""
    role, colon, name = part.partition(":")
    return _MASKS.get(role, "") + colon + name


def take_masks(given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The masks among these variables, which are taken out."""
    return {name: given.pop(name) for name in list(given) if is_mask(name)}


def unlike(masks: Mapping[str, Tensor], raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The masks that have not as many rows as their own variable, or have none."""
    own = {mask_name(name): len(value) for name, value in raw.items()}
    return {name: mask for name, mask in masks.items() if own.get(name) != len(mask)}


def with_masks(
    pipeline: Pipeline, raw: Mapping[str, Tensor], joined: dict[str, Tensor], masks: Mapping[str, Tensor], what: str
) -> dict[str, Tensor]:
    """Role tensors with zeros where there is nothing, and a mask beside each part that may have such places.

    Args:
        pipeline: a bound one.
        raw: the user's variables `(N, *event)`; with `missing="mask"`, what is NaN there is missing.
        joined: role tensors `(N, *event)`.
        masks: `(N, L)`, which entries of sets or series are there: `summary_mask` or `summary_mask:name`; all by
            default.

    Raises:
        DataError, ShapeError: a mask that fits nothing.
        ConfigError: a mask of what is read by a network that takes none.
    """
    result = dict(joined)
    given = _by_part(pipeline, joined, masks, what)
    for part in pipeline.roles.parts(ROLES[2]):
        if part not in joined or not (part in given or pipeline.masking(part)):
            continue
        pipeline.reading.require_masks(part)
        x = joined[part]
        there = _checked(given.get(part), x, mask_of(part), what)
        if pipeline.missing == "mask":
            there = there & ~_missing(raw, x).any(-1)
        result |= {mask_of(part): there, part: x.masked_fill(~there.unsqueeze(-1), 0.0)}
    conditions = joined.get("inference_conditions")
    if conditions is not None and pipeline.missing == "mask":
        gone = _missing(raw, conditions)
        result |= {"condition_mask": ~gone, "inference_conditions": conditions.masked_fill(gone, 0.0)}
    return result


def masked_names(data: Mapping[str, Any]) -> set[str]:
    """The variables that have a mask, or rows that differ in length; `summary_mask` for a mask that names none."""
    masks = {name.partition(":")[2] or MASK for name in spread(data) if is_mask(name)}
    return masks | {name for name, value in data.items() if is_ragged(value)}


def require_one_length(pipeline: Pipeline, joined: Mapping[str, Tensor]) -> None:
    """Raise DataError where a later batch has entries of another number than the first, and nothing masks them."""
    for part in pipeline.roles.parts(ROLES[2]):
        expected, found = pipeline.event(part), joined[part]
        if not pipeline.masking(part) and (mask_of(part) in joined or tuple(found.shape[1:]) != expected):
            raise DataError(
                f"{part} are of shape {tuple(found.shape[1:])} now, and of {expected} in the first batch\n"
                "Where sets or series differ in length from batch to batch, say so: build(..., missing='mask')."
            )


def lost_features(pipeline: Pipeline, joined: Mapping[str, Tensor]) -> set[str]:
    """The features of the conditions that are missing in some row."""
    if (there := joined.get("condition_mask")) is None:
        return set()
    complete = there.reshape(-1, there.shape[-1]).all(0).tolist()
    return {
        name
        for name, all_there in zip(pipeline.feature_names("inference_conditions"), complete, strict=True)
        if not all_there
    }


def warn_of_lost(pipeline: Pipeline, joined: Mapping[str, Tensor], what: str, *, depth: int) -> None:
    """Warn of features that are missing and never were in training, `depth` calls below the user's."""
    if pipeline.lost is not None and (new := lost_features(pipeline, joined) - pipeline.lost):
        warnings.warn(
            f"{what}: {listing(sorted(new))} missing (NaN), as in no row of the training data; the network has not "
            "learnt what that means.\nLet the simulator lose values as the measurement does.",
            DataWarning,
            stacklevel=depth + 1,
        )


def without_entries(joined: Mapping[str, Tensor]) -> Tensor | None:
    """Rows `(N,)` of which every entry is masked, in all that is summarized; None where there are none."""
    masks = [joined.get(mask_of(part)) for part in joined if role_of(part) == ROLES[2]]
    known = [mask.flatten(1).any(1) for mask in masks if mask is not None]
    return ~torch.stack(known).any(0) if known and len(known) == len(masks) else None


def there_alone(pipeline: Pipeline, raw: Mapping[str, Tensor], joined: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The user's variables with what a mask leaves out overwritten: by the row's first entry that is there, or by 1.

    Args:
        pipeline: a bound one.
        raw: the user's variables `(N, *event)`.
        joined: role tensors with their masks.
    """
    result = dict(raw)
    for name, value in raw.items():
        for part in pipeline.feeds.get(name, ()):
            mask = joined.get(mask_of(part))
            if mask is not None and mask.shape == value.shape[:2]:
                there = mask.view(*mask.shape, *[1] * (value.ndim - 2))
                first = value[torch.arange(len(value)), mask.int().argmax(1)].unsqueeze(1)
                value = torch.where(there, value, torch.where(there.any(1, keepdim=True), first, 1.0))
        result[name] = value
    return result


def not_finite(pipeline: Pipeline, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By variable, in which rows `(N,)` a value is infinite, or NaN where that does not stand for a missing one."""
    bad = {name: ~torch.isfinite(value) for name, value in raw.items()}
    if pipeline.missing == "mask":
        bad |= {name: torch.isinf(raw[name]) for name in raw if name not in pipeline.target_names}
    return {name: rows.reshape(len(rows), -1).any(1) for name, rows in bad.items()}


def _by_part(
    pipeline: Pipeline, joined: Mapping[str, Tensor], masks: Mapping[str, Tensor], what: str
) -> dict[str, Tensor]:
    """The mask of each part."""
    if not masks:
        return {}
    parts = [part for part in pipeline.roles.parts(ROLES[2]) if part in joined]
    if not parts:
        raise DataError(
            f"{what} have {next(iter(masks))!r}, and no summary network that could read it\n"
            "Give summary_network='deep_set', or 'time_series_network', and summary_variables=[...]."
        )
    found: dict[str, dict[str, Tensor]] = {}
    for key, mask in masks.items():
        for part in _read_by(pipeline, key, parts, what):
            found.setdefault(part, {})[key] = mask
    for several in found.values():
        if MASK in several and len(several) > 1:
            other = next(key for key in several if key != MASK)
            raise DataError(
                f"{what} have {MASK!r}, and rows of different lengths in {other.partition(':')[2]!r} or a mask of it\n"
                "Give rows as they are, or padded rows with a mask."
            )
    return {part: merge_masks(several) for part, several in found.items()}


def _read_by(pipeline: Pipeline, key: str, parts: list[str], what: str) -> list[str]:
    """The parts that the mask of this name is about."""
    if key == MASK:
        if len(parts) > 1:
            raise DataError(
                f"{what} have one {MASK!r} for several variables: {listing(pipeline.roles.of(ROLES[2]))}\n"
                f"Give one of each that needs it: {MASK}={{{pipeline.roles.of(parts[0])[0]!r}: ...}}",
                variable=MASK,
            )
        return parts
    name = key.partition(":")[2]
    if name not in pipeline.feeds:
        raise DataError(
            f"{what} have a mask of {name!r}, which is not summarized{did_you_mean(name, pipeline.feeds)}\n"
            f"Summarized: {listing(pipeline.feeds)}",
            variable=name,
        )
    return pipeline.feeds[name]


def _checked(mask: Tensor | None, x: Tensor, name: str, what: str) -> Tensor:
    if mask is None:
        return torch.ones(x.shape[:-1], dtype=torch.bool)
    if mask.shape != x.shape[:-1]:
        raise ShapeError(
            f"{what}: {name!r} has shape {tuple(mask.shape)}, and what it masks has {tuple(x.shape)}\n"
            f"Expected {tuple(x.shape[:-1])}: for each entry, whether it is there.",
            variable=name,
            expected=tuple(x.shape[:-1]),
            got=tuple(mask.shape),
        )
    if mask.dtype != torch.bool and not bool(((mask == 0) | (mask == 1)).all()):
        raise DataError(f"{what}: {name!r} holds other values than 0 and 1", variable=name)
    return mask.bool()


def _missing(raw: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Where `x` is NaN, in rows that the user gave with NaN; elsewhere the adapter left its domain."""
    given = torch.zeros(len(x), dtype=torch.bool)
    for value in raw.values():
        given |= torch.isnan(value).reshape(len(value), -1).any(1)
    return torch.isnan(x) & given.view(-1, *[1] * (x.ndim - 1))
