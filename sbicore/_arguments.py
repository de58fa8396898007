"""Keyword arguments of a class and its bases, and the error for one that there is not."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

from ._messages import close_match, did_you_mean, listing
from .errors import UnknownHyperparameterError

__all__ = ["arguments_of", "unknown_argument"]


def arguments_of(cls: type) -> list[str]:
    """The names that `__init__` takes, in the order of the class and its bases."""
    inits = [vars(base)["__init__"] for base in cls.__mro__[:-1] if "__init__" in vars(base)]
    found = [parameter for init in inits for parameter in list(inspect.signature(init).parameters.values())[1:]]
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return list(dict.fromkeys(parameter.name for parameter in found if parameter.kind in named))


def unknown_argument(owner: str, name: str, known: Iterable[str], more: str = "") -> UnknownHyperparameterError:
    """That `owner` does not take `name`, but those that are `known`, and `more`."""
    known = list(known)
    return UnknownHyperparameterError(
        f"{owner} has no argument {name!r}{did_you_mean(name, known)}\nIt takes {listing(known)}{more}.",
        name=name,
        near=close_match(name, known),
    )
