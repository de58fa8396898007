"""Which names the installed distributions provide, from metadata alone: nothing is imported."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from ._kinds import KINDS

__all__ = ["Entry", "catalogue", "disabled", "entries", "install_command", "register", "rescan", "unregister"]


class Entry(NamedTuple):
    """One component: where it comes from and how it is loaded."""

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    requires: tuple[str, ...]
    config: Any = None

    @property
    def class_name(self) -> str:
        """The attribute in the public namespace."""
        return self.value.rpartition(":")[2]

    @property
    def qualified(self) -> str:
        """The name that selects this distribution's component among several."""
        return f"{self.distribution}/{self.name}"

    def load(self) -> Any:
        """Import the config class."""
        if self.config is not None:
            return self.config
        return metadata.EntryPoint(self.name, self.value, KINDS[self.kind].group).load()


_installed: list[Entry] | None = None
_session: dict[tuple[str, str], Entry] = {}


def entries(kind: str | None = None, name: str | None = None) -> list[Entry]:
    """All entries of a kind and name; a session registration hides installed ones."""
    global _installed
    if _installed is None:
        _installed = sorted(_scan())
    found = list(_session.values()) + [e for e in _installed if (e.kind, e.name) not in _session]
    distribution, _, short = (name or "").rpartition("/")
    return [
        entry
        for entry in found
        if (kind is None or entry.kind == kind)
        and (name is None or entry.name == short)
        and (not distribution or _normal(entry.distribution) == _normal(distribution))
    ]


def rescan() -> None:
    """Forget what is installed, so that a package installed since is seen."""
    global _installed
    _installed = None


def register(config: Any) -> Entry:
    """Add a config class for this session."""
    value = f"{config.__module__}:{config.__qualname__}"
    entry = Entry(config.kind, config.name, "this session", "", value, (), config)
    _session[entry.kind, entry.name] = entry
    return entry


def unregister(config: Any) -> None:
    """Take a session registration back."""
    _session.pop((config.kind, config.name), None)


def disabled() -> frozenset[str]:
    """Names and distributions switched off by SBICORE_DISABLE, normalised."""
    return frozenset(_normal(name) for name in os.environ.get("SBICORE_DISABLE", "").split(",") if name.strip())


def is_disabled(entry: Entry) -> bool:
    """Whether SBICORE_DISABLE names this component or its distribution."""
    return bool({_normal(entry.name), _normal(entry.distribution)} & disabled())


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """First-party components by kind and name: their distribution and class."""
    content: dict[str, dict[str, dict[str, str]]] = json.loads(
        Path(__file__).with_name("_catalogue.json").read_text("utf-8")
    )
    return content


def install_command(*distributions: str) -> str:
    """What to type to install first-party distributions, from the checkout where core came from one."""
    checkout = _checkout()
    targets = [
        str(checkout / "plugins" / name) if checkout and (checkout / "plugins" / name).is_dir() else name
        for name in distributions
    ]
    return f"pip install {' '.join(targets)}"


def _scan() -> Iterator[Entry]:
    groups = {kind.group: kind.name for kind in KINDS.values()}
    seen: set[str] = set()
    for distribution in metadata.distributions():
        points = [point for point in distribution.entry_points if point.group in groups]
        if not points:
            continue
        facts = distribution.metadata
        name = facts["Name"] or "unknown"
        if _normal(name) in seen:
            continue
        seen.add(_normal(name))
        requires = tuple(distribution.requires or ())
        for point in points:
            yield Entry(groups[point.group], point.name, name, distribution.version, point.value, requires)


def _checkout() -> Path | None:
    """The folder core was installed from, if that is a source tree with plugins."""
    try:
        text = metadata.distribution("sbicore").read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return None
    url = urlparse(json.loads(text).get("url", "")) if text else None
    if url is None or url.scheme != "file":
        return None
    folder = Path(unquote(url.path))
    return folder if (folder / "plugins").is_dir() else None


def _normal(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(".", "_")
