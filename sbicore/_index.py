"""Which names the installed distributions provide, from metadata alone: nothing is imported."""

from __future__ import annotations

import json
import os
import re
import shlex
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlparse

from ._kinds import KINDS
from ._messages import close_match
from .errors import PluginWarning

__all__ = [
    "Entry",
    "catalogue",
    "disabled",
    "entries",
    "extensions",
    "install_command",
    "is_disabled",
    "is_editable",
    "register",
    "reinstall_command",
    "rescan",
    "same",
    "unregister",
]

_GROUPS = {kind.group: kind.name for kind in KINDS.values()} | {"sbicore": "extension"}


class Entry(NamedTuple):
    """One component or extension: where it comes from and how it is loaded.

    `damage` says what is wrong with the installed files, where that shows in the metadata.
    """

    kind: str
    name: str
    distribution: str
    version: str
    value: str
    requires: tuple[str, ...]
    config: Any = None
    damage: str = ""

    @property
    def class_name(self) -> str:
        """The attribute in the public namespace."""
        return self.value.partition("[")[0].rpartition(":")[2].rpartition(".")[2].strip()

    @property
    def qualified(self) -> str:
        """The name that selects this distribution's component among several."""
        return f"{self.distribution}/{self.name}"

    def load(self) -> Any:
        """Import the config class (or the extension)."""
        if self.config is not None:
            return self.config
        return metadata.EntryPoint(self.name, self.value, "sbicore").load()


_installed: list[Entry] | None = None
_session: dict[tuple[str, str], Entry] = {}


def entries(kind: str | None = None, name: str | None = None) -> list[Entry]:
    """All entries of a kind and name; a session registration hides installed ones.

    A qualified name, `distribution/name`, finds a hidden one too.
    """
    distribution, _, short = (name or "").rpartition("/")
    installed = [entry for entry in _scanned() if entry.kind in KINDS]
    found = [*_session.values(), *(e for e in installed if distribution or (e.kind, e.name) not in _session)]
    return [
        entry
        for entry in found
        if (kind is None or entry.kind == kind)
        and (name is None or entry.name == short)
        and (not distribution or same(entry.distribution, distribution))
    ]


def extensions() -> list[Entry]:
    """The entries of extension plugins."""
    return [entry for entry in _scanned() if entry.kind == "extension"]


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


def same(one: str, other: str) -> bool:
    """Whether two spellings name one distribution."""
    return _normal(one) == _normal(other)


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """First-party components by kind and name: their distribution and class."""
    content: dict[str, dict[str, dict[str, str]]] = json.loads(
        Path(__file__).with_name("_catalogue.json").read_text("utf-8")
    )
    return content


def install_command(*distributions: str) -> str:
    """What to type to install first-party distributions.

    Where core came from a checkout they are its folders, with those they require and that are absent, too: pip
    would look for these elsewhere.
    """
    checkout = _source("sbicore")
    folders = checkout / "plugins" if checkout and (checkout / "plugins").is_dir() else None
    if folders is None:
        return f"pip install {shlex.join(distributions)}"
    todo, targets = list(distributions), {}
    while todo:
        name = todo.pop(0)
        project = folders / name / "pyproject.toml"
        targets[name] = str(project.parent) if project.is_file() else name
        required = re.findall(r'"(sbicore-[\w-]+)', project.read_text("utf-8")) if project.is_file() else []
        todo += [other for other in required if other not in targets and other != name and not _is_installed(other)]
    return f"pip install {shlex.join(targets.values())}"


def reinstall_command(distribution: str) -> str:
    """What to type to install it again: from its folder where it came from one, since an index may have another."""
    folder = _source(distribution)
    if folder is None:
        return f"pip install --force-reinstall {distribution}"
    return f"pip install {'-e' if is_editable(distribution) else '--force-reinstall'} {shlex.quote(str(folder))}"


def is_editable(distribution: str) -> bool:
    """Whether it was installed with `pip install -e`."""
    return bool(_direct_url(distribution).get("dir_info", {}).get("editable"))


def _is_installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True


def _scanned() -> list[Entry]:
    global _installed
    if _installed is None:
        _installed = sorted(_scan())
        _warn_of_unknown_names(_installed)
    return _installed


def _warn_of_unknown_names(found: list[Entry]) -> None:
    """Say which names in SBICORE_DISABLE switch nothing off."""
    unknown = disabled() - {_normal(name) for entry in found for name in (entry.name, entry.distribution)}
    if unknown:
        warnings.warn(
            f"SBICORE_DISABLE names {', '.join(sorted(unknown))}: no component or distribution here is called so",
            PluginWarning,
            stacklevel=2,
        )


def _scan() -> Iterator[Entry]:
    seen: set[str] = set()
    for distribution in sorted(metadata.distributions(), key=_is_left_over):
        try:
            found = list(_entries_of(distribution))
        except Exception as error:
            where = getattr(distribution, "_path", distribution)
            warnings.warn(f"{where} cannot be read and is left out: {error!r}", PluginWarning, stacklevel=2)
            continue
        if found and _normal(found[0].distribution) not in seen:
            seen.add(_normal(found[0].distribution))
            yield from found


def _entries_of(distribution: metadata.Distribution) -> Iterator[Entry]:
    points = [point for point in distribution.entry_points if point.group in _GROUPS]
    for group in {point.group for point in distribution.entry_points if point.group.startswith("sbicore")}:
        near = None if group in _GROUPS else close_match(group, _GROUPS)
        if near:
            warnings.warn(
                f"{distribution.metadata['Name']} has entry points in {group!r}, which is no group; "
                f"did its authors mean {near!r}?",
                PluginWarning,
                stacklevel=2,
            )
    if not points:
        return
    folder = str(getattr(distribution, "_path", ""))
    if distribution.read_text("METADATA") or distribution.read_text("PKG-INFO"):
        name, version, damage = distribution.metadata["Name"], distribution.version, ""
        requires = tuple(distribution.requires or ())
    else:
        stem, _, version = Path(folder).name.removesuffix(".dist-info").partition("-")
        name, requires, damage = stem.replace("_", "-"), (), "its METADATA are missing"
    if _is_left_over(distribution):
        damage = f"an interrupted uninstallation left {folder}"
    for point in points:
        yield Entry(_GROUPS[point.group], point.name, name, version, point.value, requires, damage=damage)


def _is_left_over(distribution: metadata.Distribution) -> bool:
    """Whether this is a folder that pip renamed to remove it, and did not."""
    return Path(str(getattr(distribution, "_path", ""))).name.startswith("~")


def _direct_url(distribution: str) -> dict[str, Any]:
    """What pip noted where a distribution was not taken from an index by its name."""
    try:
        text = metadata.distribution(distribution).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return {}
    found: dict[str, Any] = json.loads(text) if text else {}
    return found


def _source(distribution: str) -> Path | None:
    """The folder that it was installed from, if it was."""
    url = urlparse(_direct_url(distribution).get("url", ""))
    folder = Path(unquote(url.path))
    return folder if url.scheme == "file" and folder.is_dir() else None


def _normal(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(".", "_")
