"""The running core, from metadata: its version, what it requires, and whether a plugin's requirement admits it."""

from __future__ import annotations

from importlib import metadata

__all__ = ["core_requirements", "core_version", "unmet_requirement"]


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
    from packaging.requirements import InvalidRequirement, Requirement

    running = core_version()
    if running == "0+unknown":
        return None
    for line in requires:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            continue
        if requirement.name.lower() != "sbicore" or (requirement.marker and not requirement.marker.evaluate()):
            continue
        if not requirement.specifier.contains(running, prereleases=True):
            return f"sbicore{requirement.specifier}"
    return None
