"""Base distributions, one a file: Normal, StudentT, Mixture."""

from __future__ import annotations

import importlib
from typing import Any

_MODULES = {"Normal": "normal", "StudentT": "student_t", "Mixture": "mixture"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(_MODULES)
