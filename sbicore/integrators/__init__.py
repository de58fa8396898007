"""Solvers of ordinary differential equations, one method a file.

Fixed step: Euler, Midpoint, Heun, RK4. Adaptive: Bosh3, Dopri5, Dopri8, Tsit5.
"""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {
    "Euler": "euler",
    "Midpoint": "midpoint",
    "Heun": "heun",
    "RK4": "rk4",
    "Bosh3": "bosh3",
    "Dopri5": "dopri5",
    "Dopri8": "dopri8",
    "Tsit5": "tsit5",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
