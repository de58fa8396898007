"""Which variable plays which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from .._messages import did_you_mean, listing
from ..errors import ConfigError, DataError, ShapeError

__all__ = ["ROLES", "Roles", "part_of", "role_of", "roles_to_standardize"]

ROLES = ("inference_variables", "inference_conditions", "summary_variables")

Events = Mapping[str, tuple[int, ...]]


def _names(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    names = _listed(value)
    if not names or not all(isinstance(name, str) for name in names):
        raise ConfigError(f"a role takes a name or a list of names, got {value!r}")
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ConfigError(f"{twice[0]!r} is named twice in one role")
    return names


def _listed(value: Any) -> tuple[Any, ...]:
    """One name or several as a tuple; empty where it is neither."""
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, Iterable) else ()


def part_of(role: str, name: str) -> str:
    """What a variable is called that its role keeps apart from its others."""
    return f"{role}:{name}"


def role_of(part: str) -> str:
    """The role that this is, or is a part of."""
    return part.partition(":")[0]


@attrs.frozen(kw_only=True)
class Roles:
    """Names of the variables of each role; None means: the variable named like the role, if there.

    The variables of a role are joined along the last axis; with `apart`, each summary variable is a part of its own.
    """

    inference_variables: tuple[str, ...] | None = attrs.field(default=None, converter=_names)
    inference_conditions: tuple[str, ...] | None = attrs.field(default=None, converter=_names)
    summary_variables: tuple[str, ...] | None = attrs.field(default=None, converter=_names)
    apart: bool = False

    def __attrs_post_init__(self) -> None:
        names = [name for role in ROLES for name in self.of(role)]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ConfigError(f"{twice[0]!r} has two roles; each variable has one")

    @property
    def targets(self) -> tuple[str, ...]:
        """The inferred variables."""
        return self.inference_variables or ("inference_variables",)

    def of(self, part: str) -> tuple[str, ...]:
        """The variables of a role or of a part of one; empty where it is not used."""
        role, _, name = part.partition(":")
        return (name,) if name else getattr(self, role) or ()

    def parts(self, *roles: str) -> tuple[str, ...]:
        """The parts of these roles, by default of all, that are in use: a role itself unless it is kept apart."""
        found: list[str] = []
        for role in roles or ROLES:
            if self.apart and role == ROLES[2]:
                found += [part_of(role, name) for name in self.of(role)]
            elif self.of(role):
                found.append(role)
        return tuple(found)

    def settled(self, events: Events) -> Roles:
        """Roles with every default decided by which variables there are.

        Raises:
            DataError: a role names a variable that is not there.
            ShapeError: variables of one role cannot be joined along the last axis.
        """
        names = {role: getattr(self, role) or ((role,) if role in events else None) for role in ROLES}
        if names["inference_variables"] is None:
            raise DataError(
                f"Nothing says what is to be inferred; variables: {listing(events)}\n"
                "Give build(..., inference_variables=[...], inference_conditions=[...]), "
                "or use those names in the data."
            )
        settled = Roles(**names, apart=self.apart)
        for role in ROLES:
            for name in settled.of(role):
                if name not in events:
                    raise DataError(
                        f"{role} names {name!r}, which is not in the data{did_you_mean(name, events)}\n"
                        f"Variables: {listing(events)}",
                        variable=name,
                    )
        for part in settled.parts():
            settled.event(part, events)
        return settled

    def event(self, part: str, events: Events) -> tuple[int, ...] | None:
        """The joined event shape of a part; None where it is not used."""
        names = self.of(part)
        if not names:
            return None
        shapes = [events[name] or (1,) for name in names]
        if any(shape[:-1] != shapes[0][:-1] for shape in shapes):
            found = ", ".join(f"{name} {shape}" for name, shape in zip(names, shapes, strict=True))
            raise ShapeError(
                f"{part} joins variables along the last axis; these do not fit: {found}"
                + (
                    "\nWhere they are of different kinds, take 'fusion_network'."
                    if part == ROLES[2]
                    else "\nAdapter().broadcast(...) gives numbers the axes of images, and summary_variables none."
                ),
                variable=names[0],
            )
        return (*shapes[0][:-1], sum(shape[-1] for shape in shapes))


def roles_to_standardize(value: Any) -> tuple[str, ...]:
    """Roles from `'all'`, None, one role or several.

    Raises:
        ConfigError: no such role.
    """
    if isinstance(value, bool):
        value = "all" if value else None
    if value is None:
        return ()
    if not isinstance(value, Iterable):
        raise ConfigError(f"standardize takes 'all', None, a role or a list of roles, got {value!r}")
    names = ROLES if isinstance(value, str) and value == "all" else _listed(value)
    for name in names:
        if name not in ROLES:
            raise ConfigError(
                f"standardize names {name!r}, which is no role{did_you_mean(name, ROLES)}\n"
                f"Choices: 'all', None, {', '.join(ROLES)}"
            )
    return names
