"""Functions as text: names of torch's own, and import paths."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import attrs

from .._messages import did_you_mean, listing
from ..errors import ConfigError

__all__ = ["FUNCTIONS", "PAIRS", "function", "function_name"]

_EACH_WAY = {
    "exp": "log",
    "exp2": "log2",
    "expm1": "log1p",
    "square": "sqrt",
    "tan": "arctan",
    "sinh": "arcsinh",
    "tanh": "arctanh",
    "sigmoid": "logit",
    "erf": "erfinv",
    "deg2rad": "rad2deg",
}
PAIRS = {
    **_EACH_WAY,
    **{back: forth for forth, back in _EACH_WAY.items()},
    "atan": "tan",
    "asinh": "sinh",
    "atanh": "tanh",
    "negative": "negative",
    "reciprocal": "reciprocal",
}
"""What undoes what; `square` and `tan` where they are one to one around their principal values."""

FUNCTIONS = (*PAIRS, "abs", "ceil", "cos", "floor", "log10", "round", "rsqrt", "sign", "sin")
"""Functions of torch that may be named; each maps every number by itself."""


def function(path: str) -> Callable[[Any], Any]:
    """The function of this name.

    Raises:
        ConfigError: it cannot be imported.
    """
    if path in FUNCTIONS:
        import torch

        found: Callable[[Any], Any] = getattr(torch, path)
        return found
    module, _, name = path.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for part in name.split("."):
            value = getattr(value, part)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"cannot import {path!r}: {error}\nIt must be where it was, as {name!r} in the module {module!r}."
        ) from None
    if not callable(value):
        raise ConfigError(f"{path!r} is no function but {type(value).__name__}")
    return value  # type: ignore[no-any-return]


def function_name(default: Any = attrs.NOTHING, *, alias: str, optional: bool = False, doc: str) -> Any:
    """A field that holds the name of a function that exists; a function is replaced by its name."""

    def convert(value: Any) -> str | None:
        if value is None and optional:
            return None
        try:
            return _name_of(value)
        except ConfigError as error:
            raise error.within(alias) from None

    return attrs.field(
        default=default,
        alias=alias,
        converter=attrs.Converter(convert),
        metadata={"doc": doc, "type": "function", "optional": optional},
    )


def _name_of(value: Any) -> str:
    path = value if isinstance(value, str) else _path_of(value)
    if path in FUNCTIONS:
        return path
    if ":" not in path:
        raise ConfigError(
            f"unknown function {path!r}{did_you_mean(path, FUNCTIONS)}\n"
            f"Functions: {listing(FUNCTIONS)}; or one of yours: 'package.module:function'"
        )
    function(path)
    return path


def _path_of(value: Any) -> str:
    """The import path of a function that was given itself."""
    if not callable(value):
        raise ConfigError(f"expected the name of a function, got {value!r}")
    for library in ("torch", "numpy"):
        name = getattr(value, "__name__", "")
        if name in FUNCTIONS and getattr(sys.modules.get(library), name, None) is value:
            return str(name)
    name, module = getattr(value, "__qualname__", ""), getattr(value, "__module__", None)
    if not module or not name or "<" in name:
        raise ConfigError(
            f"got {value!r}, which has no name to save it under and find it again: nothing is pickled\n"
            "Define it in a module and give 'package.module:function'."
        )
    path = f"{module}:{name}"
    if function(path) != value:
        raise ConfigError(f"got {value!r}, and {path!r} is another\nGive 'package.module:function'.")
    return path
