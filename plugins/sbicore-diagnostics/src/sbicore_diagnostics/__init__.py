"""Metrics and plots; each is loaded, with what it needs, when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .metrics.c2st import c2st as c2st
    from .metrics.calibration_log_gamma import calibration_log_gamma as calibration_log_gamma
    from .metrics.expected_coverage import expected_coverage as expected_coverage
    from .metrics.hpd_coverage import hpd_coverage as hpd_coverage
    from .metrics.local_c2st import local_c2st as local_c2st
    from .metrics.mmd import mmd as mmd, mmd_test as mmd_test
    from .metrics.negative_log_density import negative_log_density as negative_log_density
    from .metrics.nrmse import nrmse as nrmse
    from .metrics.posterior_contraction import posterior_contraction as posterior_contraction
    from .metrics.posterior_z_score import posterior_z_score as posterior_z_score
    from .metrics.sbc import sbc as sbc
    from .metrics.sliced_wasserstein import sliced_wasserstein as sliced_wasserstein
    from .metrics.tarp import tarp as tarp
    from .plots.loss import loss as loss
    from .plots.pairs_posterior import pairs_posterior as pairs_posterior
    from .plots.predictive_band import predictive_band as predictive_band

_HOMES = {
    "c2st": "metrics.c2st",
    "calibration_log_gamma": "metrics.calibration_log_gamma",
    "expected_coverage": "metrics.expected_coverage",
    "hpd_coverage": "metrics.hpd_coverage",
    "local_c2st": "metrics.local_c2st",
    "loss": "plots.loss",
    "mmd": "metrics.mmd",
    "mmd_test": "metrics.mmd",
    "negative_log_density": "metrics.negative_log_density",
    "nrmse": "metrics.nrmse",
    "pairs_posterior": "plots.pairs_posterior",
    "posterior_contraction": "metrics.posterior_contraction",
    "posterior_z_score": "metrics.posterior_z_score",
    "predictive_band": "plots.predictive_band",
    "sbc": "metrics.sbc",
    "sliced_wasserstein": "metrics.sliced_wasserstein",
    "tarp": "metrics.tarp",
}

__all__ = [
    "c2st",
    "calibration_log_gamma",
    "expected_coverage",
    "hpd_coverage",
    "local_c2st",
    "loss",
    "mmd",
    "mmd_test",
    "negative_log_density",
    "nrmse",
    "pairs_posterior",
    "posterior_contraction",
    "posterior_z_score",
    "predictive_band",
    "sbc",
    "sliced_wasserstein",
    "tarp",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
