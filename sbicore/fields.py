"""Hyperparameters as attrs fields: each converts, checks and documents itself.

`depth: int = integer(6, ge=1, doc="Number of blocks.")`. Without a default a field is required.
A bad value raises ConfigError with the path of the hyperparameter.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs

from .errors import ConfigError, SbicoreError

__all__ = [
    "FrozenMapping",
    "choice",
    "choices",
    "component",
    "components",
    "flag",
    "flags",
    "integer",
    "mapping",
    "number",
    "numbers",
    "options",
    "sizes",
    "text",
]

REQUIRED: Any = attrs.NOTHING


class FrozenMapping(Mapping[str, Any]):
    """An immutable, hashable mapping that keeps its order and prints as a dict."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Any] | None = None) -> None:
        self._items = dict(items or {})

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def integer(
    default: Any = REQUIRED,
    *,
    ge: int | None = None,
    le: int | None = None,
    multiple_of: int | None = None,
    also: Sequence[str] = (),
    optional: bool = False,
    doc: str,
) -> Any:
    """A whole number (`True` and `3.0` are refused), or one of the words in `also`."""

    def convert(value: Any) -> int | str:
        if isinstance(value, str) and value in also:
            return value
        whole = _whole(value, "a whole number" + "".join(f" or {word!r}" for word in also))
        _bounds(whole, ge=ge, le=le)
        if multiple_of is not None and whole % multiple_of:
            raise ConfigError(f"must be a multiple of {multiple_of}, got {whole}")
        return whole

    facts = {"ge": ge, "le": le, "multiple_of": multiple_of, "also": tuple(also) or None}
    return _field(default, convert, doc, "integer", optional, **facts)


def number(
    default: Any = REQUIRED,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    optional: bool = False,
    doc: str,
) -> Any:
    """A finite real number."""

    def convert(value: Any) -> float:
        return _number(value, ge=ge, gt=gt, le=le, lt=lt)

    return _field(default, convert, doc, "number", optional, ge=ge, gt=gt, le=le, lt=lt)


def flag(default: Any = REQUIRED, *, doc: str) -> Any:
    """True or False, and nothing that merely looks like it."""

    return _field(default, _boolean, doc, "flag", False)


def flags(default: Any = REQUIRED, *, optional: bool = False, doc: str) -> Any:
    """A sequence of True and False, stored as a tuple."""

    def convert(value: Any) -> tuple[bool, ...]:
        items = tuple(_boolean(item) for item in _sequence(value))
        if not items:
            raise ConfigError("must not be empty")
        return items

    return _field(default, convert, doc, "flags", optional)


def text(default: Any = REQUIRED, *, optional: bool = False, doc: str) -> Any:
    """A string."""

    def convert(value: Any) -> str:
        if not isinstance(value, str):
            raise ConfigError(f"expected a string, got {value!r}")
        return value

    return _field(default, convert, doc, "text", optional)


def choice(default: Any = REQUIRED, *, options: Sequence[str], optional: bool = False, doc: str) -> Any:
    """One of a closed set of names."""
    allowed = tuple(options)

    def convert(value: Any) -> str:
        if not isinstance(value, str) or value not in allowed:
            from ._messages import did_you_mean

            raise ConfigError(
                f"unknown choice {value!r}{did_you_mean(value, allowed)}\n"
                f"Choices: {', '.join(allowed)}{', None' if optional else ''}"
            )
        return str(value)

    return _field(default, convert, doc, "choice", optional, options=allowed)


def choices(default: Any = REQUIRED, *, options: Sequence[str], doc: str) -> Any:
    """One or several different names of a closed set, stored as a tuple."""
    allowed = tuple(options)

    def convert(value: Any) -> tuple[str, ...]:
        from ._messages import did_you_mean

        items = (value,) if isinstance(value, str) else tuple(_sequence(value))
        if not items:
            raise ConfigError("must not be empty")
        for item in items:
            if item not in allowed:
                raise ConfigError(
                    f"unknown choice {item!r}{did_you_mean(item, allowed)}\nChoices: {', '.join(allowed)}"
                )
            if items.count(item) > 1:
                raise ConfigError(f"{item!r} is given twice\nGive it once.")
        return items

    return _field(default, convert, doc, "choices", False, options=allowed)


def sizes(default: Any = REQUIRED, *, ge: int = 1, nonempty: bool = True, doc: str) -> Any:
    """A sequence of whole numbers, stored as a tuple."""

    def convert(value: Any) -> tuple[int, ...]:
        items = tuple(_whole(item, "whole numbers") for item in _sequence(value))
        for item in items:
            _bounds(item, ge=ge)
        if nonempty and not items:
            raise ConfigError("must not be empty")
        return items

    return _field(default, convert, doc, "sizes", False, ge=ge)


def numbers(default: Any = REQUIRED, *, optional: bool = False, doc: str) -> Any:
    """A number or a (nested) sequence of finite numbers; sequences become tuples."""

    def convert(value: Any) -> Any:
        if hasattr(value, "tolist"):
            value = value.tolist()
        if isinstance(value, (list, tuple)):
            return tuple(convert(item) for item in value)
        return _number(value)

    return _field(default, convert, doc, "numbers", optional)


def mapping(default: Any = REQUIRED, *, optional: bool = False, doc: str) -> Any:
    """A mapping from names to plain values, stored frozen."""

    def convert(value: Any) -> FrozenMapping:
        if not isinstance(value, Mapping):
            raise ConfigError(f"expected a mapping, got {value!r}")
        return FrozenMapping({str(key): _plain(item) for key, item in value.items()})

    return _field(default, convert, doc, "mapping", optional)


def component(kind: str, default: Any = REQUIRED, *, optional: bool = False, doc: str) -> Any:
    """Another component: a name, a mapping with `name`, a config, or any `nn.Module`.

    `<field>_kwargs` given beside it is folded into the nested config and not stored.
    """

    def convert(value: Any) -> Any:
        from .registry import as_config

        return as_config(value, kind=kind)

    return _field(default, convert, doc, "component", optional, kind=kind)


def components(kind: str, default: Any = REQUIRED, *, doc: str, by: str | None = None) -> Any:
    """Several components by name: a mapping; or a component or a list of them, called as they are registered.

    With `by` the names say something of their own, such as `"variable"`, and only a mapping will do.
    """

    def convert(value: Any) -> FrozenMapping:
        from .registry import as_config

        if isinstance(value, Mapping) and "name" not in value:
            given = {str(key): item for key, item in value.items()}
        elif by is not None:
            first = value[0] if isinstance(value, (list, tuple)) and value else value
            raise ConfigError(
                f"takes a mapping from each {by}, got {value!r}\nGive for instance: {{{by!r}: {first!r}}}"
            )
        else:
            items = tuple(value) if isinstance(value, (list, tuple)) else (value,)
            found = [as_config(item, kind=kind) for item in items]
            given = {config.name: config for config in found}
            if len(given) < len(found):
                raise ConfigError("two of them have the same name\nGive a mapping {name: component}.")
        if not given:
            raise ConfigError("must not be empty")
        made = {}
        for key, item in given.items():
            try:
                made[key] = as_config(item, kind=kind)
            except SbicoreError as error:
                raise error.within(key) from error.__cause__
        return FrozenMapping(made)

    return _field(default, convert, doc, "components", False, kind=kind)


def options(cls: Any, default: Any = None, *, doc: str) -> Any:
    """A group of options described by an `Options` class; a mapping is converted."""

    def convert(value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if value is not None and not isinstance(value, Mapping):
            raise ConfigError(f"expected a mapping of options, got {value!r}")
        return cls(**(value or {}))

    return _field(default, convert, doc, "options", False, options_class=cls)


def _field(default: Any, convert: Callable[[Any], Any], doc: str, type_name: str, optional: bool, **facts: Any) -> Any:
    def located(value: Any, field: attrs.Attribute[Any]) -> Any:
        if optional and value is None:
            return None
        try:
            return convert(value)
        except SbicoreError as error:
            raise error.within(field.alias or field.name) from error.__cause__

    return attrs.field(
        default=default,
        converter=attrs.Converter(located, takes_field=True),  # type: ignore[call-overload]
        metadata={
            "doc": doc,
            "type": type_name,
            "optional": optional,
            **{name: fact for name, fact in facts.items() if fact is not None},
        },
    )


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ConfigError(f"expected True or False, got {value!r}")
    return value


def _whole(value: Any, expected: str) -> int:
    try:
        if not isinstance(value, bool):
            return operator.index(value)
    except TypeError:
        pass
    raise ConfigError(f"expected {expected}, got {value!r}")


def _number(value: Any, **bounds: float | None) -> float:
    try:
        result = None if isinstance(value, (bool, str, bytes)) else float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        result = None
    if result is None:
        raise ConfigError(f"expected a number, got {value!r}")
    if not math.isfinite(result):
        raise ConfigError(f"must be finite, got {result}")
    _bounds(result, **bounds)
    return result


def _bounds(
    value: float,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> None:
    for bound, sign, holds in (
        (ge, ">=", lambda b: value >= b),
        (gt, ">", lambda b: value > b),
        (le, "<=", lambda b: value <= b),
        (lt, "<", lambda b: value < b),
    ):
        if bound is not None and not holds(bound):
            raise ConfigError(f"must be {sign} {bound}, got {value}")


def _sequence(value: Any) -> Sequence[Any]:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise ConfigError(f"expected a sequence, got {value!r}")
    return value


def _plain(value: Any) -> Any:
    """A JSON-like value with sequences as tuples and mappings frozen."""
    if isinstance(value, Mapping):
        return FrozenMapping({str(key): _plain(item) for key, item in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(_plain(item) for item in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"must be finite, got {value}")
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise ConfigError(f"expected plain values (None, bool, int, float, str, sequences), got {value!r}")
