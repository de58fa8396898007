"""Lazy public namespaces: attributes are the config classes of installed plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _index
from ._kinds import KINDS

__all__ = ["namespace"]


def namespace(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for a public namespace such as `sbicore.networks`.

    A known class whose plugin is missing raises UnknownComponentError; any other name
    AttributeError.
    """
    kinds = [kind.name for kind in KINDS.values() if f"sbicore.{kind.namespace}" == module]

    def names() -> dict[str, tuple[str, str]]:
        known = {
            row["class"]: (kind, name) for kind in kinds for name, row in _index.catalogue().get(kind, {}).items()
        }
        return known | {entry.class_name: (kind, entry.name) for kind in kinds for entry in _index.entries(kind)}

    def getattribute(name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        found = names()
        if name not in found:
            _index.rescan()
            found = names()
        if name not in found:
            from ._messages import did_you_mean

            raise AttributeError(f"module {module!r} has no attribute {name!r}{did_you_mean(name, found)}")
        from .registry import resolve

        kind, component = found[name]
        return resolve(component, kind=kind)

    def directory() -> list[str]:
        return sorted(names())

    return getattribute, directory
