"""What a user may type in place of a component: its name, or that of a distribution."""

from __future__ import annotations

from typing import Any

from .. import _index
from ..errors import UnknownComponentError
from ..registry import guess_kind, plugins, resolve

__all__ = ["classes_of"]


def classes_of(name: str | None, kind: str | None, *, everything: bool = False) -> list[type[Any]]:
    """The config classes that a name stands for: one component, or all of a distribution.

    Args:
        name: a component, a distribution, or None for whatever is installed.
        kind: only this kind.
        everything: with a component also all others of its distribution.

    Raises:
        UnknownComponentError: it is neither; and the other plugin errors.
    """
    rows = [row for row in plugins(kind) if row["kind"] != "extension" and row["state"] != "disabled"]
    if name is None:
        return [_class(row) for row in rows]
    of_distribution = [row for row in rows if _index.same(row["distribution"], name)]
    if of_distribution:
        return [_class(row) for row in of_distribution]
    chosen = kind or guess_kind(name)
    found = resolve(name, kind=chosen)
    if not everything:
        return [found]
    entry = next(iter(_index.entries(chosen, name)), None)
    if entry is None:
        raise UnknownComponentError(f"{name!r} belongs to no distribution", kind=chosen, name=name)
    return [_class(row) for row in rows if row["distribution"] == entry.distribution]


def _class(row: dict[str, str]) -> type[Any]:
    return resolve(f"{row['distribution']}/{row['name']}", kind=row["kind"])
