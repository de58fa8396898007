"""Extension plugins: loaded once, one try each; a failing one is named and left out."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pluggy

from . import _compat, _index, hookspecs
from .config import Hyperparameters
from .errors import BrokenPluginError, ConfigError, IncompatiblePluginError, PluginWarning

__all__ = ["add_commands", "build", "deliver", "manager", "resolve", "try_extension"]

_made: ContextVar[list[Any]] = ContextVar("made")


class _Core:
    """Core's own behaviour, registered first and asked last."""

    @staticmethod
    @hookspecs.hookimpl(trylast=True)
    def sbicore_resolve(kind: str, name: str) -> type:
        from .registry import resolve_installed

        return resolve_installed(kind, name)

    @staticmethod
    @hookspecs.hookimpl(trylast=True)
    def sbicore_build(config: Any, shapes: Any) -> Any:
        module = config.build(shapes)
        _made.get().append(module)
        return module


@functools.lru_cache(maxsize=1)
def manager() -> pluggy.PluginManager:
    """The plugin manager with core and every extension that loads."""
    plugins = pluggy.PluginManager("sbicore")
    plugins.add_hookspecs(hookspecs)
    plugins.register(_Core, name="sbicore")
    for entry in _index.extensions():
        if _index.is_disabled(entry):
            continue
        try:
            _add(plugins, entry)
        except (Exception, SystemExit) as error:
            if plugins.has_plugin(entry.qualified):
                plugins.unregister(name=entry.qualified)
            _leave_out(entry.qualified, error)
    return plugins


def _add(plugins: pluggy.PluginManager, entry: _index.Entry) -> None:
    unmet = _compat.unmet_requirement(entry.requires)
    if unmet:
        raise IncompatiblePluginError(f"it needs {unmet}, and sbicore {_compat.core_version()} is installed")
    plugins.register(entry.load(), name=entry.qualified)
    plugins.check_pending()


def try_extension(name: str) -> None:
    """Load the extension `distribution/name` alone, into a manager of its own; whatever it raises comes out."""
    plugins = pluggy.PluginManager("sbicore")
    plugins.add_hookspecs(hookspecs)
    for entry in _index.extensions():
        if entry.qualified == name:
            _add(plugins, entry)


def resolve(kind: str, name: str) -> Any:
    """Ask the hooks for a config class."""
    return _strictly("sbicore_resolve", kind=kind, name=name)


def build(config: Any, shapes: Any) -> Any:
    """Build through the hooks; the module must be the one that core built."""
    made: list[Any] = []
    token = _made.set(made)
    try:
        module = _strictly("sbicore_build", config=config, shapes=shapes)
    except ConfigError as error:
        for name in reversed(_owner(config, error.path[0]) if error.path else ()):
            error.within(name)
        raise
    finally:
        _made.reset(token)
    if made and module is not made[-1]:
        raise BrokenPluginError(
            f"A build wrapper replaced the module of {config.name!r}.\n"
            "Wrappers may observe a module, not exchange it; find it with SBICORE_DISABLE=<distribution>."
        )
    return module


def _owner(config: Hyperparameters, name: str) -> tuple[str, ...]:
    """Path to the one component inside that has this hyperparameter; none where the config itself has it."""
    found = [path for path in _paths(config) if path[-1] == name]
    return found[0][:-1] if len(found) == 1 else ()


def _paths(config: Hyperparameters) -> Iterator[tuple[str, ...]]:
    """Paths to all hyperparameters, those of components included."""
    for name, value in config._values().items():
        yield (name,)
        if isinstance(value, Hyperparameters):
            yield from ((name, *path) for path in _paths(value))


def deliver(approximator: Any, event: Any) -> None:
    """Deliver a fit event."""
    _one_by_one("sbicore_fit_event", approximator=approximator, event=event)


def add_commands(commands: Any) -> None:
    """Let extensions add their subcommands."""
    _one_by_one("sbicore_cli", commands=commands)


def _one_by_one(hook: str, **arguments: Any) -> None:
    """Call one implementation at a time; an extension that raises is unregistered."""
    plugins = manager()
    for implementation in getattr(plugins.hook, hook).get_hookimpls():
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:
            plugins.unregister(implementation.plugin)
            _leave_out(implementation.plugin_name, error)


def _strictly(hook: str, **arguments: Any) -> Any:
    from .errors import SbicoreError

    try:
        return getattr(manager().hook, hook)(**arguments)
    except SbicoreError:
        raise
    except Exception as error:
        culprit = _raiser(hook, error)
        if culprit is None:
            raise
        raise BrokenPluginError(
            f"Extension {culprit} failed in {hook}: {type(error).__name__}: {error}\n"
            f"Leave it out with SBICORE_DISABLE={culprit.partition('/')[0]}",
            distribution=culprit.partition("/")[0],
        ) from error


def _raiser(hook: str, error: BaseException) -> str | None:
    """The extension whose own code raised, if core's did not."""
    codes = {
        getattr(implementation.function, "__code__", None): implementation.plugin_name
        for implementation in getattr(manager().hook, hook).get_hookimpls()
    }
    culprit, trace = None, error.__traceback__
    while trace is not None:
        culprit = codes.get(trace.tb_frame.f_code, culprit)
        trace = trace.tb_next
    return None if culprit == "sbicore" else culprit


def _leave_out(extension: str, error: BaseException) -> None:
    message = f"extension {extension} is left out: {type(error).__name__}: {error}"
    if os.environ.get("SBICORE_STRICT") == "1":
        raise BrokenPluginError(message) from error
    warnings.warn(message, PluginWarning, stacklevel=2)
