"""Wording shared by error messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from .errors import NotBuiltError

__all__ = ["close_match", "did_you_mean", "given_instead", "listing", "untrained"]


def close_match(name: object, known: Iterable[str]) -> str | None:
    """The known name nearest to a misspelt one, if any is near."""
    folded = {item.lower(): item for item in known}
    matches = difflib.get_close_matches(str(name).lower(), folded, n=1, cutoff=0.6)
    return folded[matches[0]] if matches else None


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing when no name is near."""
    match = close_match(name, known)
    return f"; did you mean {match!r}?" if match else ""


def given_instead(needed: str, given: Iterable[str]) -> str:
    """`: 'X' is given where 'x' is needed`, or nothing when no given name is near."""
    match = close_match(needed, given)
    return f": {match!r} is given where {needed!r} is needed" if match else ""


def listing(names: Iterable[str]) -> str:
    """Names in a sentence, or `none`."""
    return ", ".join(names) or "none"


def untrained(call: str) -> NotBuiltError:
    """That `call` comes before any training."""
    return NotBuiltError(
        f"{call} needs a trained approximator.\nTrain it first: fit(data), or fit_online() of a workflow."
    )
