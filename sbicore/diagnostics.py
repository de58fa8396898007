"""Metrics and plots: everything that the distribution sbicore-diagnostics offers."""

from __future__ import annotations

from typing import Any

from ._index import install_command
from .errors import UnknownComponentError

_PLUGIN = "sbicore_diagnostics"


def _plugin() -> Any:
    import importlib

    try:
        return importlib.import_module(_PLUGIN)
    except ModuleNotFoundError as error:
        if error.name != _PLUGIN:
            raise
        command = install_command("sbicore-diagnostics")
        raise UnknownComponentError(
            f"Metrics and plots are provided by sbicore-diagnostics, which is not installed.\n{command}",
            install=command,
        ) from None


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module 'sbicore.diagnostics' has no attribute {name!r}")
    return getattr(_plugin(), name)


def __dir__() -> list[str]:
    return sorted(_plugin().__all__)
