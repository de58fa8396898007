"""Variables without a role whose names are nearly those that have a meaning of their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from difflib import get_close_matches

from .._messages import listing
from ..errors import DataWarning
from ._pipeline import WEIGHT, Pipeline
from ._ragged import MASK, is_mask
from ._roles import ROLES

__all__ = ["warn_of_misspelt", "warn_of_roleless"]

_NEAR = 0.85
_MEANT = {WEIGHT: "weights of rows", MASK: "masks of sets and series"}


def warn_of_misspelt(
    names: Iterable[object], used: Iterable[str], *, depth: int, meant: Iterable[str] = (WEIGHT, MASK)
) -> None:
    """Warn of a variable without a role that is nearly called as one of `meant`, `depth` calls below the user's."""
    given, used = {str(name): str(name).partition(":")[0] for name in names}, set(used)
    for right in meant:
        if right in given.values():
            continue
        for name, first in given.items():
            if name not in used and get_close_matches(first.lower(), [right], cutoff=_NEAR):
                warnings.warn(
                    f"{name!r} is not used; {_MEANT[right]} are called {right!r}.", DataWarning, stacklevel=depth + 1
                )


def warn_of_roleless(names: Iterable[str], pipeline: Pipeline, *, depth: int) -> None:
    """`warn_of_misspelt` of training data; and a warning where nothing is conditioned on, though something could be."""
    names = [str(name) for name in names]
    warn_of_misspelt(names, pipeline.events, depth=depth + 1)
    rest = [name for name in names if name not in pipeline.events and name != WEIGHT and not is_mask(name)]
    if rest and not pipeline.roles.parts(*ROLES[1:]):
        warnings.warn(
            f"Nothing is conditioned on, so the prior is learnt; not used: {listing(map(repr, rest))}.\n"
            f"Build with inference_conditions={rest} for a posterior.",
            DataWarning,
            stacklevel=depth + 1,
        )
