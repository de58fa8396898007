"""The running core, from metadata: its version, what it requires, and whether a plugin's requirement admits it."""

from __future__ import annotations

import functools
import re
from importlib import metadata

__all__ = ["core_requirements", "core_version", "unmet_requirement"]


_ON_CORE = re.compile(r"\s*sbicore(?![\w.-])", re.IGNORECASE)


@functools.cache
def core_version() -> str:
    """The version of the running core."""
    try:
        return metadata.version("sbicore")
    except metadata.PackageNotFoundError:
        return "0+unknown"


def core_requirements() -> dict[str, str]:
    """What the running core and its extras require, with the bounds: each requirement by its name."""
    from packaging.requirements import Requirement

    try:
        found = [Requirement(line) for line in metadata.requires("sbicore") or ()]
    except metadata.PackageNotFoundError:
        found = []
    return {item.name: item.name + ",".join(sorted(map(str, item.specifier), reverse=True)) for item in found}


def unmet_requirement(requires: tuple[str, ...]) -> str | None:
    """The requirement on sbicore that the running core does not meet, if any."""
    on_core = tuple(line for line in requires if _ON_CORE.match(line))
    return _unmet(on_core, core_version()) if on_core else None


@functools.cache
def _unmet(requires: tuple[str, ...], running: str) -> str | None:
    from packaging.requirements import InvalidRequirement, Requirement

    if running == "0+unknown":
        return None
    for line in requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.marker and not requirement.marker.evaluate():
            continue
        if not requirement.specifier.contains(running, prereleases=True):
            return f"sbicore{requirement.specifier}"
    return None
