"""The one statement that checks are made of; unlike `assert` it also works under `python -O`."""

from __future__ import annotations


def require(holds: object, found: str) -> None:
    """Raise AssertionError with what was found, unless it holds."""
    if not holds:
        raise AssertionError(found)
