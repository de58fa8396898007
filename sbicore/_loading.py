"""From an index entry to its config class; whatever the plugin does wrong becomes an error that names it."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from typing import Any

from . import _compat, _index, config as _config
from ._kinds import kind_of
from .errors import BrokenPluginError, IncompatiblePluginError, InvalidComponentError, PluginWarning

__all__ = ["checked", "load"]

SLOW = 2.0  # seconds; a config imports in a few hundredths


def load(entry: _index.Entry) -> type[Any]:
    """The config class of an entry.

    Raises:
        IncompatiblePluginError: its distribution needs another core.
        BrokenPluginError: it cannot be imported.
        InvalidComponentError: it is no config of its kind.
    """
    unmet = _compat.unmet_requirement(entry.requires)
    if unmet:
        raise IncompatiblePluginError(
            f"{entry.distribution} {entry.version} needs {unmet}, but sbicore {_compat.core_version()} is installed.\n"
            f"pip install --upgrade {entry.distribution} sbicore",
            distribution=entry.distribution,
            requirement=unmet,
        )
    what = f"{kind_of(entry.kind).title} {entry.name!r} is provided by {entry.distribution} {entry.version}"
    facts = {"distribution": entry.distribution, "entry_point": entry.value}
    if entry.damage:
        raise BrokenPluginError(
            f"{what}, whose installation is damaged: {entry.damage}\n{_index.reinstall_command(entry.distribution)}",
            **facts,
        )
    started = time.perf_counter()
    try:
        found = entry.load()
    except (Exception, SystemExit) as error:
        raise BrokenPluginError(
            f"{what}, which fails to import ({entry.value}): {type(error).__name__}: {error}\n{_remedy(entry, error)}",
            **facts,
        ) from error
    seconds = time.perf_counter() - started
    if seconds > SLOW:
        warnings.warn(
            f"importing {entry.value} of {entry.distribution} took {seconds:.1f} s; "
            "a plugin should import torch and its data inside build",
            PluginWarning,
            stacklevel=2,
        )
    found = checked(found, entry.kind, f"{entry.value} of {entry.distribution}, registered as {entry.name!r},")
    for complaint in _complaints(found, entry):
        raise InvalidComponentError(f"{entry.value} of {entry.distribution} {complaint}")
    return found


def _complaints(found: type[Any], entry: _index.Entry) -> Iterator[str]:
    """What makes a class unusable that is a config."""
    name = vars(found).get("name", getattr(found, "name", None))
    if "__attrs_attrs__" not in vars(found):
        yield f"is not decorated\nWrite @frozen(kw_only=True) above class {found.__name__}"
    elif not isinstance(name, str):
        yield f"does not say its name\nAdd to the class: name: ClassVar[str] = {entry.name!r}"
    elif name != entry.name:
        yield f"is registered as {entry.name!r}, but its name is {name!r}\nThe entry point and the class must agree."


def checked(found: Any, kind: str, what: str) -> type[Any]:
    """The class itself, where it is a config of this kind."""
    base = getattr(_config, kind_of(kind).base)
    if isinstance(found, type) and issubclass(found, base):
        return found
    raise InvalidComponentError(f"{what} is not a {base.__name__}: {found!r}")


def _remedy(entry: _index.Entry, error: BaseException) -> str:
    """What helps: files may be gone, a requirement absent, or the plugin at fault."""
    package = entry.value.partition(":")[0].partition(".")[0]
    again = _index.reinstall_command(entry.distribution)
    missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
    if _index.is_editable(entry.distribution):
        return f"Correct its code or its entry point; after a change of pyproject.toml: {again}"
    if missing and missing.partition(".")[0] == package:
        return f"Its files are gone. {again}, or pip uninstall {entry.distribution}"
    if missing:
        return f"The package {missing!r} is not installed. {again}"
    if isinstance(error, AttributeError):
        return f"Its metadata and its files do not match. {again}"
    return f"{again}, or report it to its authors"
