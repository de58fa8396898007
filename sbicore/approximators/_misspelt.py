"""Variables without a role whose names are nearly those that have a meaning of their own."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from difflib import get_close_matches

from ..errors import DataWarning
from ._pipeline import WEIGHT
from ._ragged import MASK

__all__ = ["warn_of_misspelt"]

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
