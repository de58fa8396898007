"""Extension plugins: loaded once, one try each; a failing one is named and left out."""

from __future__ import annotations

import functools
import os
import warnings
from contextvars import ContextVar
from importlib import metadata
from typing import Any

import pluggy

from . import _index, hookspecs
from .errors import BrokenPluginError, PluginWarning

__all__ = ["build", "deliver", "manager", "resolve"]


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
    for point in sorted(metadata.entry_points(group="sbicore")):
        distribution = point.dist.metadata["Name"] if point.dist else point.name
        if {_index._normal(point.name), _index._normal(distribution)} & _index.disabled():
            continue
        try:
            plugins.register(point.load(), name=f"{distribution}/{point.name}")
            _drop_misspelt(plugins)
        except (Exception, SystemExit) as error:
            _leave_out(f"extension {point.name!r} of {distribution}", error)
    return plugins


def resolve(kind: str, name: str) -> Any:
    """Ask the hooks for a config class."""
    return _strictly("sbicore_resolve", kind=kind, name=name)


def build(config: Any, shapes: Any) -> Any:
    """Build through the hooks; the module must be the one that core built."""
    made: list[Any] = []
    token = _made.set(made)
    try:
        module = _strictly("sbicore_build", config=config, shapes=shapes)
    finally:
        _made.reset(token)
    if made and module is not made[-1]:
        raise BrokenPluginError(
            f"A build wrapper replaced the module of {config.name!r}.\n"
            "Wrappers may observe a module, not exchange it; find it with SBICORE_DISABLE=<distribution>."
        )
    return module


def deliver(approximator: Any, event: Any) -> None:
    """Deliver a fit event to one implementation at a time; one that raises is unregistered."""
    plugins = manager()
    for implementation in plugins.hook.sbicore_fit_event.get_hookimpls():
        arguments = {"approximator": approximator, "event": event}
        try:
            implementation.function(*(arguments[name] for name in implementation.argnames))
        except Exception as error:
            plugins.unregister(implementation.plugin)
            _leave_out(f"extension {implementation.plugin_name}", error)


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
        implementation.function.__code__: implementation.plugin_name
        for implementation in getattr(manager().hook, hook).get_hookimpls()
    }
    culprit, trace = None, error.__traceback__
    while trace is not None:
        culprit = codes.get(trace.tb_frame.f_code, culprit)
        trace = trace.tb_next
    return None if culprit == "sbicore" else culprit


def _drop_misspelt(plugins: pluggy.PluginManager) -> None:
    try:
        plugins.check_pending()
    except pluggy.PluginValidationError as error:
        plugins.unregister(error.plugin)
        _drop_misspelt(plugins)
        raise


def _leave_out(what: str, error: BaseException) -> None:
    message = f"{what} is left out: {type(error).__name__}: {error}"
    if os.environ.get("SBICORE_STRICT") == "1":
        raise BrokenPluginError(message) from error
    warnings.warn(message, PluginWarning, stacklevel=2)
