"""The weighted mixture of what several members draw."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from ..errors import ConfigError
from ..randomness import generator_for

__all__ = ["checked_members", "checked_weights", "members_draws", "mixed"]

_ROUNDING = 1e-9


def checked_members(count: Any, what: str = "ensemble") -> int:
    """A number of members, at least 2.

    Raises:
        ConfigError: anything else.
    """
    try:
        found = 0 if isinstance(count, bool) else operator.index(count)
    except TypeError:
        found = 0
    if found < 2:
        raise ConfigError(f"{what} takes a whole number of members, at least 2, got {count!r}")
    return found


def checked_weights(given: Any, names: Sequence[str]) -> dict[str, Fraction]:
    """Weights of all members that sum to 1, exactly.

    Args:
        given: None for equal weights; a weight for each member in order; or `{member: weight}`, where one that is not
            named has none.

    Raises:
        ConfigError: another number of weights, one that is negative or not finite, an unknown member, or all zero.
    """
    if given is None:
        return {name: Fraction(1, len(names)) for name in names}
    if isinstance(given, Mapping):
        for name in given:
            if str(name) not in names:
                raise ConfigError(
                    f"member_weights name {name!r}, which is no member{did_you_mean(str(name), names)}\n"
                    f"Members: {listing(names)}"
                )
        found = dict.fromkeys(names, 0.0) | {str(name): value for name, value in given.items()}
    else:
        values = list(given) if np.ndim(given) == 1 and not isinstance(given, (str, bytes)) else []
        if len(values) != len(names):
            raise ConfigError(
                f"member_weights takes one weight for each of {len(names)} members, got {given!r}\n"
                f"Give a list in the order of {listing(names)}, or a mapping."
            )
        found = dict(zip(names, values, strict=True))
    weights = {name: _weight(name, value) for name, value in found.items()}
    total = sum(weights.values())
    if not total:
        raise ConfigError("member_weights are all zero\nGive at least one member a weight.")
    return {name: weight / total for name, weight in weights.items()}


def _weight(name: str, value: Any) -> Fraction:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf or isinstance(value, (bool, str)):
        raise ConfigError(f"member_weights must be finite numbers >= 0, got {value!r} for {name!r}")
    return Fraction(number)


def members_draws(weights: Mapping[str, Fraction], draws: int) -> dict[str, int]:
    """The most draws that any observation takes of each member; none of those without weight."""
    return {name: math.ceil(weight * draws) for name, weight in weights.items() if weight}


def mixed(
    parts: Mapping[str, Mapping[str, Tensor]], weights: Mapping[str, Fraction], draws: int, seed: int
) -> dict[str, Tensor]:
    """Draws `{name: (O, S, *event)}` of the mixture, in random order, from those of the members.

    The share of a member is its weight, up to less than one draw, by systematic sampling of the remainders; what an
    observation takes depends on the seed and its number alone.

    Args:
        parts: `{member: {name: (O, N, *event)}}`, with N of `members_draws`.
        weights: of `checked_weights`.
        draws: S.
        seed: of shares and order.
    """
    names = list(parts)
    variables = list(parts[names[0]])
    observations = len(parts[names[0]][variables[0]])
    whole = np.array([math.floor(weights[name] * draws) for name in names])
    edges = np.cumsum([float(weights[name] * draws - n) for name, n in zip(names, whole, strict=True)])
    rest = draws - int(whole.sum())
    edges[edges > rest - _ROUNDING] = rest
    every = {name: torch.cat([part[name] for part in parts.values()], dim=1) for name in variables}
    starts = np.cumsum([0, *(part[variables[0]].shape[1] for part in parts.values())])[:-1]
    chosen = []
    for row in range(observations):
        generator = generator_for(seed, row)
        offset = float(torch.rand((), dtype=torch.float64, generator=generator))
        counts = whole + np.diff(np.floor(edges + offset), prepend=0.0).astype(int)
        taken = np.concatenate([np.arange(n) + start for n, start in zip(counts, starts, strict=True)])
        chosen.append(torch.from_numpy(taken)[torch.randperm(draws, generator=generator)])
    index = torch.stack(chosen)
    rows = torch.arange(observations).unsqueeze(1)
    return {name: value[rows, index] for name, value in every.items()}
