"""Estimates from the network's space in the user's, where that is possible.

How a statistic follows a change of variables depends on what it is:

    affine      a mean: right under affine maps only
    monotone    a median: right under increasing or decreasing maps of each number
    quantiles   `(Q, *event)`: as a median; a decreasing map takes the level q to 1 - q
    factor      `(D, D)`, a Cholesky factor of a covariance: right under affine maps
    free        says nothing in units of the parameters, such as the weights of a mixture

What the map is, is found by trying it out, so that adapters of any kind are judged alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..errors import ConfigError
from ..randomness import generator_for

__all__ = ["ChangeOfVariables", "by_name"]

_TRIALS = 16
_TOLERANCE = 1e-8

Inverse = Callable[[Tensor], Mapping[str, Tensor]]


class _Facts(NamedTuple):
    affine: bool
    monotone: bool
    decreasing: bool


class ChangeOfVariables:
    """The map from the network's targets to the user's variables.

    Args:
        inverse: `(*, *event)` in float64 to `{name: (*, *event)}`.
        event: shape of the network's targets.
    """

    def __init__(self, inverse: Inverse, event: tuple[int, ...]) -> None:
        self.inverse, self.event = inverse, event
        self.facts = self._tried()

    def require(self, what: str, kind: str, levels: tuple[float, ...] = ()) -> None:
        """Refuse a statistic that would not be that of the user's variable.

        Raises:
            ConfigError: the map is not affine, or not monotone, as the statistic needs.
        """
        for name, facts in self.facts.items():
            if kind in ("affine", "factor") and not facts.affine:
                raise ConfigError(
                    f"{what} of {name!r} cannot be told: it is inferred through a map that is not affine, such as a "
                    "logarithm or that of bounds, and the statistic of the mapped values is another.\n"
                    "Take medians or quantiles, draws of a parametric rule, or leave the map out."
                )
            if kind in ("monotone", "quantiles") and not facts.monotone:
                raise ConfigError(
                    f"{what} of {name!r} cannot be told: it is inferred through a map that mixes its entries, or that "
                    "does not rise or fall all the way, such as a reciprocal.\n"
                    "Take draws of a parametric rule, or leave the map out."
                )
            lack = [round(1 - q, 6) for q in levels if not any(math.isclose(1 - q, p) for p in levels)]
            if kind == "quantiles" and facts.decreasing and lack:
                raise ConfigError(
                    f"{what} of {name!r} need the level 1 - q beside each q, since it is inferred through a decreasing "
                    f"map; got {list(levels)}\nAdd {lack}."
                )

    def points(self, value: Tensor, kind: str) -> dict[str, Tensor]:
        """Statistics `(*, *event)` by the user's names; quantiles `(N, Q, *event)` in order again."""
        found = {name: part.double() for name, part in self.inverse(value.double()).items()}
        return {name: part.sort(1).values for name, part in found.items()} if kind == "quantiles" else found

    def factor(self, scale: Tensor) -> Tensor:
        """Factors `(*, D, D)` of covariances of the user's variables, joined in their order."""
        covariance = self._slopes() @ scale.double()
        return torch.linalg.cholesky(covariance @ covariance.mT)

    def _slopes(self) -> Tensor:
        """The matrix of an affine map, a row for each of the user's numbers."""
        size = math.prod(self.event)
        ends = self._flat(torch.cat([torch.zeros(1, size), torch.eye(size)]).double().reshape(-1, *self.event))
        return (ends[1:] - ends[:1]).T

    def _flat(self, z: Tensor) -> Tensor:
        return torch.cat([part.double().reshape(len(z), -1) for part in self.inverse(z).values()], dim=1)

    def _tried(self) -> dict[str, _Facts]:
        size = math.prod(self.event)
        z = torch.randn(_TRIALS, size, generator=generator_for(0)).double()
        steps = z[:, None] + 0.5 * torch.eye(size).double()
        values = self._parts(torch.cat([z, 2 * z, torch.zeros(1, size), steps.flatten(0, 1)]))
        return {name: _facts(part, size) for name, part in values.items()}

    def _parts(self, z: Tensor) -> dict[str, Tensor]:
        found = self.inverse(z.reshape(-1, *self.event))
        return {name: part.double().reshape(len(z), -1) for name, part in found.items()}


def _facts(values: Tensor, size: int) -> _Facts:
    once, twice, origin, moved = values.split([_TRIALS, _TRIALS, 1, _TRIALS * size])
    bend = (twice - origin - 2 * (once - origin)).abs()
    change = moved.unflatten(0, (_TRIALS, size)) - once[:, None]
    scale = (once - origin).abs().mean() + origin.abs().mean() * 1e-6
    alone = ((change.abs() > _TOLERANCE * scale).sum(1) <= 1).all()
    total = change.sum(1)
    one_sided = ((total >= 0).all(0) | (total <= 0).all(0)) & (total != 0).any(0)
    return _Facts(
        affine=bool((bend <= _TOLERANCE * scale).all()),
        monotone=bool(alone & one_sided.all()),
        decreasing=bool((total < 0).any()),
    )


def by_name(parts: Mapping[str, Any]) -> Any:
    """The value alone where there is one variable."""
    return next(iter(parts.values())) if len(parts) == 1 else dict(parts)
