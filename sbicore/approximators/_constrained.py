"""Draws under constraints: made again where they break one, or led to where all hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import torch
from torch import Tensor

from ..errors import IntegrationError, SamplingError, SamplingWarning
from ..randomness import seed_for
from . import _sampling
from ._constraints import Constraints
from ._fixed import Fixed

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["sample_constrained"]

_PILOT = 200
"""Draws of each observation that tell how many hold."""
_ENOUGH = 0.05
"""Share that must hold for draws to be made again."""


def sample_constrained(
    model: Approximator,
    constraints: Constraints,
    observed: Tensor | None,
    draws: int,
    fixed: Fixed | None,
    *,
    seed: int,
    options: Mapping[str, Any],
    **how: Any,
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """As `_sampling.sample` with its options `how`, for all observations.

    Raises:
        ConfigError: the network cannot lead its draws, or a constraint has no gradient that could.
        SamplingError: no draws were found.
    """
    numbers = range(1 if observed is None else len(observed))
    plain = _sampling.singly(model, observed, options, fixed)
    led = _led(model, constraints, numbers, plain, fixed, seed, options)

    def drawn(draw: _sampling.Draw, rows: list[int]) -> tuple[list[int], dict[str, Tensor], dict[str, Any]]:
        return rows, *_sampling.sample(model, draw, rows, draws, fixed, constraints.broken, seed=seed, **how)

    again = [number for number in numbers if number not in led]
    found = [drawn(plain, again)] if again else []
    if led:
        limits = constraints.in_network_space()
        try:
            found.append(drawn(_sampling.singly(model, observed, options, fixed, limits), led))
        except IntegrationError as error:
            raise SamplingError(
                f"draws could not be led to where the constraints hold: {error}\n"
                "Is there a parameter that keeps all of them? A constraint is at most 0 where it holds."
            ) from error
        broken = 1 - found[-1][2]["acceptance"]
        if broken > 0.01:
            warnings.warn(
                f"{broken:.1%} of the draws that were led break a constraint all the same, and were made again.\n"
                "Ask for more steps, or smaller rtol and atol; or train for longer.",
                SamplingWarning,
                stacklevel=3,
            )
    return _merged(found)


def _led(
    model: Approximator,
    constraints: Constraints,
    numbers: range,
    plain: _sampling.Draw,
    fixed: Fixed | None,
    seed: int,
    options: Mapping[str, Any],
) -> list[int]:
    """The observations whose draws are led."""
    can = "constraint_strength" in attrs.fields_dict(model.config.sample_options)
    guide = options.get("constraint_guide", "auto" if can else "rejection")
    if guide == "rejection":
        return []
    if guide != "auto" or "constraint_strength" in options:
        return list(numbers)
    pilot, _ = _sampling.sample(
        model, plain, numbers, _PILOT, fixed, seed=seed_for(seed, 1), chunk_size=None, progress=False
    )
    share = 1 - constraints.broken(pilot).double().mean(1)
    led: list[int] = (share < _ENOUGH).nonzero().flatten().tolist()
    if led:
        warnings.warn(
            f"In {len(led)} of {len(share)} observations less than {_ENOUGH:.0%} of the draws keep the constraints, in "
            f"observation {led[0]} {float(share[led[0]]):.1%}. They are led there, as well as the network's "
            "derivatives tell.\nconstraint_guide='rejection' is exact, where it ends.",
            SamplingWarning,
            stacklevel=4,
        )
    return led


def _merged(
    found: Sequence[tuple[list[int], dict[str, Tensor], dict[str, Any]]],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Draws in the order of the observations, and means of the facts over them."""
    order = torch.tensor([number for numbers, _, _ in found for number in numbers]).argsort()
    draws = {name: torch.cat([values[name] for _, values, _ in found])[order] for name in found[0][1]}
    facts = {}
    for name in {name for _, _, told in found for name in told}:
        known = [(len(numbers), told[name]) for numbers, _, told in found if told.get(name) is not None]
        total = sum(count for count, _ in known)
        facts[name] = sum(count * value for count, value in known) / total if total else None
    return draws, facts
