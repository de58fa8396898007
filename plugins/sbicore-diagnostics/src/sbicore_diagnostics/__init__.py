"""Metrics and plots; each is loaded, with what it needs, when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metrics.c2st import c2st as c2st
    from .plots.loss import loss as loss
    from .plots.pairs_posterior import pairs_posterior as pairs_posterior
    from .plots.predictive_band import predictive_band as predictive_band

_HOMES = {
    "c2st": "metrics",
    "loss": "plots",
    "pairs_posterior": "plots",
    "predictive_band": "plots",
}

__all__ = ["c2st", "loss", "pairs_posterior", "predictive_band"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}.{name}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
