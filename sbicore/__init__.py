"""Simulation-based inference in PyTorch, made of plugins.

Importing sbicore imports no third-party package; every public name is loaded when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        diagnostics as diagnostics,
        distributions as distributions,
        errors as errors,
        integrators as integrators,
        networks as networks,
        noise_schedules as noise_schedules,
        scoring_rules as scoring_rules,
        simulators as simulators,
    )
    from ._modules import wrap as wrap
    from .adapter import Adapter as Adapter
    from .approximators import (
        ContinuousApproximator as ContinuousApproximator,
        EnsembleApproximator as EnsembleApproximator,
        ModelComparisonApproximator as ModelComparisonApproximator,
        RatioApproximator as RatioApproximator,
        ScoringRuleApproximator as ScoringRuleApproximator,
    )
    from .artifact import load as load
    from .citation import cite as cite
    from .description import describe as describe
    from .exports import to_arviz as to_arviz, to_dataframe as to_dataframe
    from .model_comparison import ModelComparisonSimulator as ModelComparisonSimulator
    from .references import Reference as Reference
    from .registry import (
        build as build,
        configure as configure,
        plugins as plugins,
        register as register,
        registered as registered,
    )
    from .simulation import make_simulator as make_simulator
    from .stores import open_store as open_store, write_store as write_store
    from .workflows import (
        BasicWorkflow as BasicWorkflow,
        CompositionalWorkflow as CompositionalWorkflow,
        EnsembleWorkflow as EnsembleWorkflow,
        ModelComparisonWorkflow as ModelComparisonWorkflow,
    )

_HOMES = {
    "Adapter": "adapter",
    "BasicWorkflow": "workflows",
    "CompositionalWorkflow": "workflows",
    "ContinuousApproximator": "approximators",
    "EnsembleApproximator": "approximators",
    "EnsembleWorkflow": "workflows",
    "ModelComparisonApproximator": "approximators",
    "ModelComparisonSimulator": "model_comparison",
    "ModelComparisonWorkflow": "workflows",
    "RatioApproximator": "approximators",
    "Reference": "references",
    "ScoringRuleApproximator": "approximators",
    "build": "registry",
    "cite": "citation",
    "configure": "registry",
    "describe": "description",
    "load": "artifact",
    "make_simulator": "simulation",
    "open_store": "stores",
    "plugins": "registry",
    "register": "registry",
    "registered": "registry",
    "to_arviz": "exports",
    "to_dataframe": "exports",
    "wrap": "_modules",
    "write_store": "stores",
}
_SUBMODULES = frozenset(
    {
        "diagnostics",
        "distributions",
        "errors",
        "integrators",
        "networks",
        "noise_schedules",
        "scoring_rules",
        "simulators",
        "testing",
    }
)

__all__ = sorted([*_HOMES, *_SUBMODULES])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        value: Any = importlib.import_module("sbicore._compat").core_version()
    elif name in _HOMES:
        value = getattr(importlib.import_module(f"sbicore.{_HOMES[name]}"), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f"sbicore.{name}")
    else:
        from ._messages import did_you_mean

        raise AttributeError(f"module 'sbicore' has no attribute {name!r}{did_you_mean(name, __all__)}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
