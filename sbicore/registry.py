"""From names to configs to approximators: `configure`, `build`, `plugins`, `register`."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, overload

from . import _compat, _index
from ._kinds import KINDS, kind_of
from ._loading import checked, load
from ._messages import close_match, listing
from .config import Config
from .errors import (
    AmbiguousComponentError,
    ConfigError,
    InvalidComponentError,
    PluginError,
    PluginWarning,
    UnknownComponentError,
    UnknownHyperparameterError,
)

if TYPE_CHECKING:
    from .approximators import ContinuousApproximator, EnsembleApproximator

__all__ = ["as_config", "build", "configure", "guess_kind", "plugins", "register", "registered", "resolve"]

_ALIASES = {("distribution", "student"): "student_t"}
"""Names by which other tools call a component; one that is installed under such a name wins."""


def configure(name: Any, *, kind: str | None = None, **hyperparameters: Any) -> Any:
    """Make a config from a name (or mapping, config, `nn.Module`) and hyperparameters.

    Args:
        name: `"flow_matching"`, `"distribution/name"`, a mapping with `name`, or a config.
        kind: kind of component; without it an inference network, else whatever kind has this name.
        **hyperparameters: fields of the config; `<component>_kwargs` fold into components.

    Raises:
        UnknownComponentError, AmbiguousComponentError, IncompatiblePluginError, BrokenPluginError:
            the name leads to no usable plugin.
        UnknownHyperparameterError, ConfigError: a hyperparameter is misspelt or impossible.
    """
    if isinstance(name, str):
        found = resolve(name, kind=kind or guess_kind(name))
        return found(**hyperparameters)
    if isinstance(name, Mapping):
        return as_config({**name, **hyperparameters}, kind=kind or guess_kind(str(name.get("name"))))
    made = as_config(name, kind=kind or str(getattr(name, "kind", "inference_network")))
    return made.replace(**hyperparameters) if hyperparameters else made


@overload
def build(
    name: Any, *, preset: str | None = None, ensemble: None = None, **arguments: Any
) -> ContinuousApproximator: ...


@overload
def build(name: Any, *, preset: str | None = None, ensemble: int, **arguments: Any) -> EnsembleApproximator: ...


def build(
    name: Any, *, preset: str | None = None, ensemble: int | None = None, **arguments: Any
) -> ContinuousApproximator | EnsembleApproximator:
    """Make an approximator for an inference network.

    Args:
        name: an inference network, as `configure` takes it.
        preset: a choice of hyperparameters and options of `fit` for the size of your data, such as
            `"small"`, `"base"`, `"large"`; what you give yourself wins. `sbicore describe` lists them.
        ensemble: a number of members, at least 2, that learn together from different first weights; what comes back
            is an `EnsembleApproximator`.
        **arguments: hyperparameters of the network, and arguments of the approximator that the
            network declares: `summary_network`, `adapter`, `inference_variables`,
            `inference_conditions`, `summary_variables`, `standardize`, `bounds`, `out_of_bounds`,
            `fit_kwargs`.

    Raises:
        ConfigError: an argument belongs neither to the network nor to the approximator, or there is no such preset.
    """
    network = resolve(name) if isinstance(name, str) else None
    declared = network or as_config(name, kind="inference_network")
    if preset is not None:
        arguments = _with_preset(declared, preset, arguments)
    from . import approximators

    approximator = getattr(approximators, declared.approximator)
    own = {key: arguments.pop(key) for key in tuple(arguments) if key in approximator.arguments}
    try:
        described = network(**arguments) if network else configure(declared, **arguments)
    except UnknownHyperparameterError as error:
        near = None if error.path else close_match(error.name, approximator.arguments)
        if near is None or error.near:
            raise
        nested = f"\nGive {near}={{'name': ..., ...}}." if error.name == f"{near}_kwargs" else ""
        raise UnknownHyperparameterError(
            f"build has no argument {error.name!r}; did you mean {near!r}?{nested}", name=error.name, near=near
        ) from None
    if ensemble is None:
        return approximator(described, **own)
    from .approximators._mixture import checked_members

    count = checked_members(ensemble)
    return approximators.EnsembleApproximator([approximator(described, **own) for _ in range(count)])


def _with_preset(network: Any, preset: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of `build`, completed by a preset."""
    from . import approximators
    from .presets import preset_of
    from .training import FitOptions

    if isinstance(network, Config):
        raise ConfigError(
            "A preset completes the hyperparameters of a network that is given by name; this one has all of its own.\n"
            f"Give build({network.name!r}, preset={preset!r}), or fit_kwargs={{...}}."
        )
    chosen = preset_of(network, preset)
    outer = getattr(approximators, network.approximator).arguments
    own = {key: value for key, value in arguments.items() if key in outer}
    inner = {key: value for key, value in arguments.items() if key not in outer}
    given = own.get("fit_kwargs") or {}
    if isinstance(given, Mapping):
        own["fit_kwargs"] = FitOptions.joined(given, chosen.fit)
    return {**chosen.completed(inner), **own}


def plugins(kind: str | None = None, *, capability: str | None = None) -> list[dict[str, str]]:
    """What is installed, from metadata: kind, name, distribution, version and state.

    The state is `ok`, `disabled`, `ambiguous`, the requirement that the core does not meet, or
    `damaged` with what is wrong. Extensions are of the kind `extension`. With `capability` (such as
    `"log_prob"`) the configs themselves are loaded and asked; one that fails to load is left out
    with a PluginWarning.
    """
    if kind is not None and kind != "extension":
        kind_of(kind)
    found = _index.entries(kind) if kind else _index.entries()
    if kind in {None, "extension"} and capability is None:
        found = [*found, *_index.extensions()]
    rows = []
    for entry in found:
        state = _state(entry)
        if capability is not None and (state != "ok" or capability not in _capabilities(entry)):
            continue
        rows.append(
            {
                "kind": entry.kind,
                "name": entry.name,
                "distribution": entry.distribution,
                "version": entry.version,
                "state": state,
            }
        )
    order = [*KINDS, "extension"]
    return sorted(rows, key=lambda row: (order.index(row["kind"]), row["name"], row["distribution"]))


def register(component: type[Config]) -> type[Config]:
    """Make a config class known by its name for this session; it hides an installed one."""
    if not (isinstance(component, type) and issubclass(component, Config)):
        raise InvalidComponentError(f"register takes a config class, got {component!r}")
    for fact in ("kind", "name"):
        if not hasattr(component, fact):
            raise InvalidComponentError(
                f"{component.__name__} does not say its {fact}\nAdd to the class: {fact}: ClassVar[str] = ..."
            )
    hidden = [entry for entry in _index.entries(component.kind, component.name) if entry.config is None]
    if hidden:
        warnings.warn(
            f"{component.name!r} of this session hides that of {hidden[0].distribution}", PluginWarning, stacklevel=2
        )
    _index.register(component)
    return component


@contextlib.contextmanager
def registered(*components: type[Config]) -> Iterator[None]:
    """`register` for the length of a `with` block."""
    for component in components:
        register(component)
    try:
        yield
    finally:
        for component in components:
            _index.unregister(component)


def resolve(name: str, *, kind: str = "inference_network") -> type[Any]:
    """The config class of this name, through the hooks (core's own is the index of entry points)."""
    from . import _extensions

    kind_of(kind)
    return checked(_extensions.resolve(kind, name), kind, f"What was found for {name!r}")


def resolve_installed(kind: str, name: str) -> type[Any]:
    """The config class of this name among installed and session components."""
    found = [entry for entry in _index.entries(kind, name) if not _index.is_disabled(entry)]
    if not found and (kind, name) in _ALIASES:
        return resolve_installed(kind, _ALIASES[kind, name])
    if not found:
        _index.rescan()
        found = [entry for entry in _index.entries(kind, name) if not _index.is_disabled(entry)]
    if not found:
        raise _unknown(kind, name)
    if len(found) > 1:
        providers = ", ".join(f"{entry.distribution} ({entry.value})" for entry in found)
        raise AmbiguousComponentError(
            f"{kind_of(kind).title} {name!r} is provided by {len(found)} distributions: {providers}\n"
            f"Choose one, e.g. {found[0].qualified!r}",
            candidates=[entry.qualified for entry in found],
        )
    return load(found[0])


def as_config(value: Any, *, kind: str) -> Any:
    """A config of this kind from a name, a mapping with `name`, a config, or an `nn.Module`.

    Raises:
        InvalidComponentError: the value is none of these, or of another kind.
    """
    from ._modules import ModuleConfig

    if isinstance(value, str):
        return resolve(value, kind=kind)()
    if isinstance(value, ModuleConfig):
        return value.of_kind(kind)
    if isinstance(value, Mapping):
        rest = {str(key): item for key, item in value.items()}
        name = rest.pop("name", None)
        if not isinstance(name, str):
            raise ConfigError(f"{kind_of(kind).a_title} given as a mapping needs a 'name', got {value!r}")
        return resolve(name, kind=kind)(**rest)
    if isinstance(value, Config):
        if value.kind != kind:
            raise InvalidComponentError(
                f"expected {kind_of(kind).a_title}, got the {kind_of(value.kind).title} {value.name!r}"
            )
        return value
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.nn.Module):
        return ModuleConfig.of(value, kind)
    if isinstance(value, type) and issubclass(value, Config):
        return as_config(value(), kind=kind)
    raise InvalidComponentError(
        f"expected {kind_of(kind).a_title}: a name, a mapping, a config or an nn.Module; got {value!r}"
    )


def _capabilities(entry: _index.Entry) -> frozenset[str]:
    try:
        found: frozenset[str] = resolve(entry.qualified, kind=entry.kind).capabilities
    except PluginError as error:
        warnings.warn(str(error), PluginWarning, stacklevel=3)
        return frozenset()
    return found


def _unknown(kind: str, name: str) -> UnknownComponentError:
    title = kind_of(kind).title
    if _index.entries(kind, name):
        return UnknownComponentError(
            f"{title} {name!r} is switched off by SBICORE_DISABLE", kind=kind, name=name, disabled=True
        )
    known = _index.catalogue().get(kind, {})
    distribution, _, short = name.rpartition("/")
    here = known.get(short)
    if here and _index.same(distribution or here["distribution"], here["distribution"]):
        command = _index.install_command(here["distribution"])
        return UnknownComponentError(
            f"{title} {name!r} is provided by {here['distribution']}, which is not installed.\n{command}",
            kind=kind,
            name=name,
            install=command,
        )
    installed = sorted({entry.name for entry in _index.entries(kind)})
    elsewhere = sorted({entry.kind for entry in _index.entries(name=name)})
    providers = [entry.qualified for entry in _index.entries(kind, short)]
    near = providers[0] if providers else close_match(name, [*installed, *known])
    hint = f"; did you mean {near!r}?" if near else ""
    if elsewhere:
        hint = f"; {name!r} is {' and '.join(kind_of(other).a_title for other in elsewhere)}"
        if len(elsewhere) > 1:
            hint += f": say which by kind={' or '.join(map(repr, elsewhere))}"
    elif near is None:
        others = {entry.name: kind_of(entry.kind).title for entry in _index.entries()}
        near = close_match(name, others)
        hint = f"; did you mean the {others[near]} {near!r}?" if near else ""
    return UnknownComponentError(
        f"There is no {title} named {name!r}{hint}\nInstalled: {listing(installed)}",
        kind=kind,
        name=name,
        near=near,
    )


def guess_kind(name: str) -> str:
    """The kind of this name: an inference network where it could be one, or nothing has it."""
    short = name.rpartition("/")[2]
    kinds = {entry.kind for entry in _index.entries(name=name) or _index.entries(name=short)}
    if not kinds:
        kinds = {kind for kind, rows in _index.catalogue().items() if short in rows}
    if "inference_network" in kinds or len(kinds) != 1:
        return "inference_network"
    return kinds.pop()


def _state(entry: _index.Entry) -> str:
    if _index.is_disabled(entry):
        return "disabled"
    if entry.damage:
        return f"damaged: {entry.damage}"
    unmet = _compat.unmet_requirement(entry.requires)
    if unmet:
        return f"incompatible: needs {unmet}"
    others = [e for e in _index.entries(entry.kind, entry.name) if not _index.is_disabled(e)]
    return "ambiguous" if len(others) > 1 else "ok"
