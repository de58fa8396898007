"""What a new plugin is called, checked before anything is written."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import sys
import unicodedata
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

from .. import _index
from .._compat import core_requirements
from .._kinds import KINDS, Kind
from ..errors import ConfigError

__all__ = ["Names", "check_free", "names_of"]

_LONGEST = 64


class Names(NamedTuple):
    """One plugin: its distribution (and folder), import package, component and config class."""

    distribution: str
    package: str
    component: str
    class_name: str


def names_of(distribution: str, class_name: str | None = None) -> Names:
    """All names from that of the distribution: `sbicore-gated-mlp`, `sbicore_gated_mlp`, `gated_mlp`, `GatedMlp`.

    Raises:
        ConfigError: no name that a distribution, a package and a component can have; the message
            has one that would do.
    """
    short = distribution.removeprefix("sbicore-")
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", short):
        raise ConfigError(
            f"{_shown(distribution)} cannot be the name of a plugin.\n"
            "It takes lower-case letters, digits and single dashes, and a letter first, also after 'sbicore-'.\n"
            f"This would do: {_suggestion(distribution)}"
        )
    if len(distribution) > _LONGEST:
        raise ConfigError(
            f"{_shown(distribution)} is too long for the name of a plugin: {len(distribution)} characters of at most "
            f"{_LONGEST}.\nThis would do: {_suggestion(distribution)}"
        )
    component = short.replace("-", "_")
    return Names(distribution, distribution.replace("-", "_"), component, _class_name(component, class_name))


def check_free(names: Names, kind: Kind) -> None:
    """Nothing that is installed or known has one of these names.

    Raises:
        ConfigError: a component of this kind, a package, or a class in the kind's namespace has.
    """
    for other, name, _, distribution in _known():
        if (other, name) == (kind, names.component):
            raise ConfigError(
                f"{distribution} has {kind.a_title} named {name!r} already.\n"
                "With two of one name installed, sbicore.build raises AmbiguousComponentError.\n"
                f"Choose another name, for instance sbicore-my-{names.distribution.removeprefix('sbicore-')}"
            )
    if taken := _taken(names):
        raise ConfigError(
            f"{names.distribution!r} cannot be the name of a plugin: {names.package} is {taken}.\n"
            f"This would do: {_suggestion(f'my-{names.component}')}"
        )
    for other, name, class_name, distribution in _known():
        if (other.namespace, class_name) == (kind.namespace, names.class_name):
            raise ConfigError(
                f"sbicore.{kind.namespace}.{class_name} is the {other.title} {name!r} of {distribution} already.\n"
                f"Give another class: --class My{class_name}"
            )


def _known() -> Iterator[tuple[Kind, str, str, str]]:
    """Kind, name, class and distribution of every component, installed or first-party."""
    for entry in _index.entries():
        yield KINDS[entry.kind], entry.name, entry.class_name, entry.distribution
    for kind, rows in _index.catalogue().items():
        for name, row in rows.items():
            yield KINDS[kind], name, row["class"], row["distribution"]


def _class_name(component: str, given: str | None) -> str:
    """The given class, or the component in CamelCase.

    Raises:
        ConfigError: it cannot be a class, or is a name of Python itself.
    """
    camel = "".join(part.capitalize() for part in component.split("_"))
    found = camel if given is None else given
    if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", found) or len(found) > _LONGEST:
        raise ConfigError(
            f"{_shown(found)} cannot be the name of the config class.\n"
            f"It takes letters and digits, and a capital first: --class {camel}"
        )
    if keyword.iskeyword(found) or hasattr(builtins, found):
        raise ConfigError(f"{found!r} is a name of Python itself.\nGive another class: --class My{found}")
    return found


def _taken(names: Names) -> str:
    """Who has the name of the package or the distribution already, in words."""
    if keyword.iskeyword(names.package):
        return "a keyword of Python"
    if names.package in sys.stdlib_module_names:
        return "a module of Python itself"
    own = {distribution for _, _, _, distribution in _known()} | {"sbicore"}
    if any(_index.same(names.distribution, other) for other in own):
        return "a package of sbicore, or of a plugin that is installed"
    found = importlib.util.find_spec(names.package)
    if found is not None and found.origin is not None:
        return f"a package that is installed, in {found.origin}"
    if _is_distribution(names.distribution):
        return "the package of a distribution that is installed or that sbicore requires"
    return ""


def _is_distribution(name: str) -> bool:
    """Whether it is installed, or core requires it."""
    try:
        metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return name in core_requirements()
    return True


def _suggestion(distribution: str) -> str:
    """A name that would do, as near as possible."""
    plain = unicodedata.normalize("NFKD", distribution.casefold()).encode("ascii", "ignore").decode()
    short = re.sub(r"[^a-z0-9]+", "-", plain).strip("-").removeprefix("sbicore").lstrip("-0123456789")
    return f"sbicore-{short[: _LONGEST // 2].strip('-') or 'my-plugin'}"


def _shown(name: str) -> str:
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}...")
