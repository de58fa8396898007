"""Approximators: an inference network with everything between it and the user's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .continuous import ContinuousApproximator as ContinuousApproximator
    from .ensemble import EnsembleApproximator as EnsembleApproximator
    from .model_comparison import ModelComparisonApproximator as ModelComparisonApproximator
    from .ratio import RatioApproximator as RatioApproximator
    from .scoring_rule import ScoringRuleApproximator as ScoringRuleApproximator

_HOMES = {
    "ContinuousApproximator": "continuous",
    "EnsembleApproximator": "ensemble",
    "ModelComparisonApproximator": "model_comparison",
    "RatioApproximator": "ratio",
    "ScoringRuleApproximator": "scoring_rule",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
