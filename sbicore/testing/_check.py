"""What checks are made of. A check is a function of a config; the first line of its docstring is the rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = [
    "Check",
    "NotApplicable",
    "advised",
    "applies",
    "decisive",
    "is_advised",
    "is_decisive",
    "only",
    "require",
    "require_protocol",
    "rule",
]

Check = Callable[[Any], None]
F = TypeVar("F", bound=Check)


class NotApplicable(Exception):
    """Raised by a check that finds nothing to look at, with the reason."""


def require(holds: object, found: str) -> None:
    """Raise AssertionError with what was found, unless it holds; unlike `assert` also under `python -O`."""
    if not holds:
        raise AssertionError(found)


def require_protocol(built: object, protocol: type) -> None:
    """Raise AssertionError unless everything that the protocol names is there."""
    names = {*vars(protocol), *getattr(protocol, "__annotations__", {})}
    missing = sorted(name for name in names if not name.startswith("_") and not hasattr(built, name))
    require(not missing, f"{type(built).__name__} has no {', '.join(missing)}")


def only(when: Callable[[Any], bool]) -> Callable[[F], F]:
    """Decorator: the check is asked of these configs alone."""

    def mark(check: F) -> F:
        check.applies = when  # type: ignore[attr-defined]
        return check

    return mark


def advised(check: F) -> F:
    """Decorator: breaking the rule is reported and does not fail."""
    check.advised = True  # type: ignore[attr-defined]
    return check


def decisive(check: F) -> F:
    """Decorator: where it fails, the checks after it have nothing to say and are left out."""
    check.decisive = True  # type: ignore[attr-defined]
    return check


def applies(check: Check, config: Any) -> bool:
    """Whether this check is asked of this config."""
    when = getattr(check, "applies", None)
    return when is None or bool(when(config))


def is_advised(check: Check) -> bool:
    """Whether the check only advises."""
    return bool(getattr(check, "advised", False))


def is_decisive(check: Check) -> bool:
    """Whether its failure ends the run."""
    return bool(getattr(check, "decisive", False))


def rule(check: Check) -> str:
    """What the check demands, in a sentence."""
    return (check.__doc__ or "").partition("\n")[0]
