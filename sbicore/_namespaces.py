"""Lazy public namespaces: attributes are the config classes of installed plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import _index
from ._kinds import KINDS
from .errors import AmbiguousComponentError

__all__ = ["namespace"]


def namespace(module: str) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for a public namespace such as `sbicore.networks`.

    A known class whose plugin is missing raises UnknownComponentError, a class that several
    components share AmbiguousComponentError, and any other name AttributeError.
    """
    kinds = [kind.name for kind in KINDS.values() if f"sbicore.{kind.namespace}" == module]

    def names() -> dict[str, set[tuple[str, str]]]:
        found: dict[str, set[tuple[str, str]]] = {}
        for kind in kinds:
            for name, row in _index.catalogue().get(kind, {}).items():
                found.setdefault(row["class"], set()).add((kind, name))
            for entry in _index.entries(kind):
                found.setdefault(entry.class_name, set()).add((kind, entry.name))
        return found

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

        components = sorted(found[name])
        if len(components) > 1:
            candidates = [component for _, component in components]
            raise AmbiguousComponentError(
                f"{module}.{name} is the class of several components\n"
                f"Use one by its own name: {', '.join(map(repr, candidates))}",
                candidates=candidates,
            )
        kind, component = components[0]
        return resolve(component, kind=kind)

    def directory() -> list[str]:
        return sorted(names())

    return getattribute, directory
