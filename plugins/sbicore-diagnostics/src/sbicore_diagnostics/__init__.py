"""Metrics and plots; each is loaded, with what it needs, when first used."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import images as images
    from .defaults import (
        default_metrics as default_metrics,
        default_metrics_from_estimates as default_metrics_from_estimates,
        default_metrics_of_models as default_metrics_of_models,
        default_plots as default_plots,
        default_plots_from_estimates as default_plots_from_estimates,
        default_plots_of_models as default_plots_of_models,
    )
    from .metrics.accuracy import accuracy as accuracy
    from .metrics.brier_score import brier_score as brier_score
    from .metrics.c2st import c2st as c2st
    from .metrics.calibration_error import calibration_error as calibration_error
    from .metrics.calibration_log_gamma import calibration_log_gamma as calibration_log_gamma
    from .metrics.correlation import correlation as correlation
    from .metrics.expected_calibration_error import expected_calibration_error as expected_calibration_error
    from .metrics.expected_coverage import expected_coverage as expected_coverage
    from .metrics.hpd_coverage import hpd_coverage as hpd_coverage
    from .metrics.local_c2st import local_c2st as local_c2st
    from .metrics.mmd import mmd as mmd, mmd_test as mmd_test
    from .metrics.negative_log_density import negative_log_density as negative_log_density
    from .metrics.nrmse import nrmse as nrmse
    from .metrics.posterior_contraction import posterior_contraction as posterior_contraction
    from .metrics.posterior_z_score import posterior_z_score as posterior_z_score
    from .metrics.predictive_p_values import predictive_p_values as predictive_p_values
    from .metrics.quantile_calibration import quantile_calibration as quantile_calibration
    from .metrics.sbc import sbc as sbc
    from .metrics.sliced_wasserstein import sliced_wasserstein as sliced_wasserstein
    from .metrics.tarp import tarp as tarp
    from .plots.calibration_ecdf import calibration_ecdf as calibration_ecdf
    from .plots.calibration_ecdf_from_quantiles import (
        calibration_ecdf_from_quantiles as calibration_ecdf_from_quantiles,
    )
    from .plots.calibration_histogram import calibration_histogram as calibration_histogram
    from .plots.coverage import coverage as coverage
    from .plots.loss import loss as loss
    from .plots.mc_calibration import mc_calibration as mc_calibration
    from .plots.mc_confusion_matrix import mc_confusion_matrix as mc_confusion_matrix
    from .plots.pairs_posterior import pairs_posterior as pairs_posterior
    from .plots.predictive_band import predictive_band as predictive_band
    from .plots.predictive_check import predictive_check as predictive_check
    from .plots.recovery import recovery as recovery
    from .plots.recovery_from_estimates import recovery_from_estimates as recovery_from_estimates
    from .plots.z_score_contraction import z_score_contraction as z_score_contraction
    from .table import Table as Table

_HOMES = {
    "Table": "table",
    "accuracy": "metrics.accuracy",
    "brier_score": "metrics.brier_score",
    "c2st": "metrics.c2st",
    "calibration_ecdf": "plots.calibration_ecdf",
    "calibration_ecdf_from_quantiles": "plots.calibration_ecdf_from_quantiles",
    "calibration_error": "metrics.calibration_error",
    "calibration_histogram": "plots.calibration_histogram",
    "calibration_log_gamma": "metrics.calibration_log_gamma",
    "correlation": "metrics.correlation",
    "coverage": "plots.coverage",
    "default_metrics": "defaults",
    "default_metrics_from_estimates": "defaults",
    "default_metrics_of_models": "defaults",
    "default_plots": "defaults",
    "default_plots_from_estimates": "defaults",
    "default_plots_of_models": "defaults",
    "expected_calibration_error": "metrics.expected_calibration_error",
    "expected_coverage": "metrics.expected_coverage",
    "hpd_coverage": "metrics.hpd_coverage",
    "local_c2st": "metrics.local_c2st",
    "loss": "plots.loss",
    "mc_calibration": "plots.mc_calibration",
    "mc_confusion_matrix": "plots.mc_confusion_matrix",
    "mmd": "metrics.mmd",
    "mmd_test": "metrics.mmd",
    "negative_log_density": "metrics.negative_log_density",
    "nrmse": "metrics.nrmse",
    "pairs_posterior": "plots.pairs_posterior",
    "posterior_contraction": "metrics.posterior_contraction",
    "posterior_z_score": "metrics.posterior_z_score",
    "predictive_band": "plots.predictive_band",
    "predictive_check": "plots.predictive_check",
    "predictive_p_values": "metrics.predictive_p_values",
    "quantile_calibration": "metrics.quantile_calibration",
    "recovery": "plots.recovery",
    "recovery_from_estimates": "plots.recovery_from_estimates",
    "sbc": "metrics.sbc",
    "sliced_wasserstein": "metrics.sliced_wasserstein",
    "tarp": "metrics.tarp",
    "z_score_contraction": "plots.z_score_contraction",
}

__all__ = [
    "Table",
    "accuracy",
    "brier_score",
    "c2st",
    "calibration_ecdf",
    "calibration_ecdf_from_quantiles",
    "calibration_error",
    "calibration_histogram",
    "calibration_log_gamma",
    "correlation",
    "coverage",
    "default_metrics",
    "default_metrics_from_estimates",
    "default_metrics_of_models",
    "default_plots",
    "default_plots_from_estimates",
    "default_plots_of_models",
    "expected_calibration_error",
    "expected_coverage",
    "hpd_coverage",
    "images",
    "local_c2st",
    "loss",
    "mc_calibration",
    "mc_confusion_matrix",
    "mmd",
    "mmd_test",
    "negative_log_density",
    "nrmse",
    "pairs_posterior",
    "posterior_contraction",
    "posterior_z_score",
    "predictive_band",
    "predictive_check",
    "predictive_p_values",
    "quantile_calibration",
    "recovery",
    "recovery_from_estimates",
    "sbc",
    "sliced_wasserstein",
    "tarp",
    "z_score_contraction",
]


def __getattr__(name: str) -> Any:
    if name == "images":
        return importlib.import_module(f"{__name__}.images")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
