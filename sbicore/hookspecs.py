"""The four hooks of extension plugins (entry-point group `sbicore`).

Hooks observe and wrap; they never rewrite hyperparameters. An implementation may name fewer
arguments than its specification. A hook that raises is reported once and left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from .shapes import Shapes

__all__ = ["hookimpl"]

hookspec = pluggy.HookspecMarker("sbicore")
hookimpl = pluggy.HookimplMarker("sbicore")


@hookspec(firstresult=True)
def sbicore_resolve(kind: str, name: str) -> type | None:
    """Return the config class for `name`, or None to let others answer."""


@hookspec(firstresult=True)
def sbicore_build(config: Any, shapes: Shapes) -> Any:
    """Return the module for `config`; wrap it (`wrapper=True`) to log, time or count."""


@hookspec
def sbicore_fit_event(approximator: Any, event: Any) -> None:
    """Observe training: `event.kind` is `started`, `epoch` or `stopped`."""


@hookspec
def sbicore_cli(commands: Any) -> None:
    """Add subcommands: `commands.add_parser(name).set_defaults(run=function)`."""
