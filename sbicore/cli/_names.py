"""What a user may type in place of a component: its name, or that of a distribution."""

from __future__ import annotations

from importlib import metadata
from typing import NamedTuple

from .. import _index
from .._messages import did_you_mean, listing
from ..errors import UnknownComponentError
from ..registry import guess_kind, plugins

__all__ = ["Named", "components_of", "require_component"]


class Named(NamedTuple):
    """A component as the registry finds it: kind, and `distribution/name`."""

    kind: str
    name: str


def components_of(name: str | None, kind: str | None, *, everything: bool = False) -> list[Named]:
    """The installed components that a name stands for: one, or all of a distribution.

    Args:
        name: a component, a distribution, or None for whatever is installed.
        kind: only this kind.
        everything: with a component also all others of its distribution.

    Raises:
        UnknownComponentError: it is neither.
    """
    rows = [row for row in plugins(kind) if row["kind"] != "extension" and row["state"] != "disabled"]
    if name is not None:
        owners = [name]
        if not any(_index.same(row["distribution"], name) for row in rows):
            require_component(name, kind)
            chosen = kind or guess_kind(name)
            entry = next(iter(_index.entries(chosen, name)), None)
            if entry is None or not everything:
                return [Named(chosen, name)]
            owners = [entry.distribution]
        rows = [row for row in rows if _index.same(row["distribution"], owners[0])]
    return [Named(row["kind"], f"{row['distribution']}/{row['name']}") for row in rows]


def require_component(name: str, kind: str | None = None) -> None:
    """Do nothing where some component has this name, installed or known.

    Raises:
        UnknownComponentError: none has; what the name is instead, where it is something.
    """
    known = {component for rows in _index.catalogue().values() for component in rows}
    if kind is not None or _index.entries(name=name) or name.rpartition("/")[2] in known:
        return
    installed = _index.entries()
    own = sorted({entry.name for entry in installed if _index.same(entry.distribution, name)})
    if own:
        found = f"{name!r} is a distribution, with {listing(own)}"
    elif any(_index.same(row["distribution"], name) for rows in _index.catalogue().values() for row in rows.values()):
        found = f"The distribution {name!r} is not installed.\n{_index.install_command(name)}"
    elif _is_distribution(name):
        found = f"The distribution {name!r} has no components.\nIf it should: python -m pip install -e its folder"
    else:
        names = {entry.name for entry in installed} | {entry.distribution for entry in installed} | known
        found = f"There is no component or distribution named {name!r}{did_you_mean(name, names)}\nSee: sbicore plugins"
    raise UnknownComponentError(found, kind=kind or "", name=name)


def _is_distribution(name: str) -> bool:
    try:
        metadata.version(name)
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return True
