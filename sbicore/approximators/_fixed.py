"""Targets that the user gives, so that the others are inferred given them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from ..errors import ConfigError, DataError
from ._bounds import outside_bounds
from ._checks import require_rows
from ._far import warn_of_far
from ._pipeline import tensors_of
from ._roles import ROLES

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Fixed", "fixed_targets"]


class Fixed(NamedTuple):
    """Targets that are given, for each observation; NaN where they are to be inferred.

    Attributes:
        told: `(O, *event)`, what the network is told, in its own space.
        values: `{name: (O, *event)}` in float32, as the user gave them.
    """

    told: Tensor
    values: dict[str, Tensor]

    def put_into(self, draws: Mapping[str, Tensor], rows: list[int]) -> dict[str, Tensor]:
        """Draws `(R, S, *event)` of these observations with the given values in their places."""
        given = {name: value[rows].unsqueeze(1) for name, value in self.values.items()}
        return {
            name: torch.where(given[name].isnan(), value, given[name]) if name in given else value
            for name, value in draws.items()
        }


def fixed_targets(model: Approximator, given: Mapping[str, Any] | None, conditions: Tensor | None) -> Fixed | None:
    """What is fixed for each observation; None where nothing is.

    Args:
        model: a trained approximator.
        given: `{name: (O, *event)}` of inferred variables, or one event for all observations; entries that are NaN
            are inferred.
        conditions: of the network, for O observations; None for a network without, which has one.

    Raises:
        ConfigError: the network has not learnt to have targets given, an unknown name, or values that the adapter
            mixes with others.
        DataError: not a dict, infinite values or some outside their bounds, nothing given, or nothing left to infer.
        ShapeError: another event shape or number of observations.
    """
    if given is None or (isinstance(given, Mapping) and not given):
        return None
    given = model.pipeline.numeric(given, "fixed")
    if not isinstance(given, Mapping):
        raise DataError(f"fixed must be a dict of arrays by name, got {type(given).__name__}")
    observations = 1 if conditions is None else len(conditions)
    config, names = model.config, model.pipeline.target_names
    if not getattr(config, "drop_target_prob", 0.0):
        raise ConfigError(
            f"fixed= needs a network that has learnt to have targets given; {config.name!r} here has not\n"
            "Build and train one with drop_target_prob, for instance flow_matching with 0.3."
        )
    for name in given:
        if name not in names:
            raise ConfigError(
                f"fixed names {name!r}, which is not inferred{did_you_mean(name, names)}\nInferred: {listing(names)}"
            )
    raw = model.pipeline.checked(tensors_of(given, "fixed", varying={}), "fixed", lead=1)
    for name, value in raw.items():
        if bool(torch.isinf(value).any()):
            raise DataError(
                f"fixed: {name!r} has infinite values\nGive finite ones; NaN marks what is inferred.", variable=name
            )
    rows = require_rows(raw, "fixed")
    if rows not in (1, observations):
        raise DataError(f"fixed has {rows} rows for {observations} observations\nGive one row, or one for each.")
    full = {
        name: raw[name].expand(rows, *event) if name in raw else torch.full((rows, *event), torch.nan)
        for name, event in model.pipeline.events.items()
        if name in names
    }
    outside = outside_bounds(model.bounds, {name: value.unsqueeze(1) for name, value in full.items()})
    if outside.any():
        raise DataError(f"fixed: values of {listing(raw)} lie outside their bounds")
    adapted = model.pipeline.adapted.forward({name: value.double() for name, value in full.items()})
    joined = model.pipeline.joined(adapted, ROLES[:1])
    z = model.standardized(joined)[ROLES[0]]
    known, told = _count(torch.isfinite(z)), sum(_count(~value.isnan()) for value in raw.values())
    if bool((known != told).any()):
        raise ConfigError(
            f"{listing(raw)} cannot be fixed: the adapter mixes their entries with others, or has no value there\n"
            "Fix all of the variables that it joins, or train without that step."
        )
    if not bool(known.any()) or bool((known == z[0].numel()).any()):
        raise DataError("fixed must give some of the inferred variables and leave some\nNaN marks what is inferred.")
    warn_of_far(model.pipeline, {ROLES[0]: model.standardizer(ROLES[0])}, joined, "fixed", depth=3)
    told = torch.where(torch.isfinite(z), z, torch.nan).expand(observations, *z.shape[1:])
    return Fixed(told, {name: value.float().expand(observations, *value.shape[1:]) for name, value in raw.items()})


def _count(flags: Tensor) -> Tensor:
    """How many in each row: `(N, ...) -> (N,)`."""
    return flags.reshape(len(flags), -1).sum(1)
