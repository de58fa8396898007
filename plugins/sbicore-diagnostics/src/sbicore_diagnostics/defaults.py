"""The plots and metrics to look at first: of draws, of estimates, and of probabilities of models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from ._calibration import calibration, require_varied
from ._choice import chosen, labels
from ._data import Arrays
from ._estimates import Estimates, estimated
from ._models import model_labels
from .metrics.accuracy import accuracy
from .metrics.brier_score import brier_score
from .metrics.calibration_error import calibration_error
from .metrics.calibration_log_gamma import calibration_log_gamma
from .metrics.correlation import correlation, correlations
from .metrics.expected_calibration_error import expected_calibration_error
from .metrics.nrmse import nrmse
from .metrics.posterior_contraction import posterior_contraction
from .metrics.posterior_z_score import posterior_z_score
from .metrics.quantile_calibration import quantile_calibration
from .plots.calibration_ecdf import calibration_ecdf
from .plots.calibration_ecdf_from_quantiles import calibration_ecdf_from_quantiles
from .plots.coverage import coverage
from .plots.mc_calibration import mc_calibration
from .plots.mc_confusion_matrix import mc_confusion_matrix
from .plots.recovery import recovery
from .plots.recovery_from_estimates import recovery_from_estimates
from .plots.z_score_contraction import z_score_contraction
from .table import Table

__all__ = [
    "default_metrics",
    "default_metrics_from_estimates",
    "default_metrics_of_models",
    "default_plots",
    "default_plots_from_estimates",
    "default_plots_of_models",
]


def default_plots(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
) -> dict[str, Figure]:
    """`recovery`, `calibration_ecdf`, `coverage` and `z_score_contraction` by name; arguments and errors as theirs."""
    plots: Any = (recovery, calibration_ecdf, coverage, z_score_contraction)
    return {plot.__name__: plot(samples, targets, variable_keys, variable_names) for plot in plots}


def default_metrics(
    samples: Arrays,
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
) -> Table:
    """A table of metrics, a column for each scalar.

    Rows: NRMSE, Correlation, Log Gamma, Calibration Error, Posterior Contraction (median over data sets) and Posterior
    z-score (mean over data sets, a bias where it is not about 0).

    Raises:
        DataError, ShapeError: as these metrics; at least 10 data sets and 10 draws, and true values that vary.
    """
    picked = chosen(samples, variable_keys)
    rows = {
        "NRMSE": nrmse(picked, targets),
        "Correlation": correlation(picked, targets),
        "Log Gamma": calibration_log_gamma(picked, targets),
        "Calibration Error": calibration_error(picked, targets),
        "Posterior Contraction": np.median(posterior_contraction(picked, targets), axis=0),
        "Posterior z-score": posterior_z_score(picked, targets).mean(axis=0),
    }
    return Table(rows, labels(calibration(picked, targets).names, variable_names))


def default_plots_from_estimates(
    estimates: Mapping[str, Any],
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    quantile_levels: Sequence[float] | None = None,
) -> dict[str, Figure]:
    """`recovery_from_estimates` and, where levels are given, `calibration_ecdf_from_quantiles`; arguments as theirs."""
    shared = (estimates, targets, variable_keys, variable_names)
    plots: dict[str, Any] = {"recovery": recovery_from_estimates(*shared)}
    if quantile_levels is not None:
        plots["calibration_ecdf"] = calibration_ecdf_from_quantiles(*shared, quantile_levels=quantile_levels)
    return plots


def default_metrics_from_estimates(
    estimates: Mapping[str, Any],
    targets: Arrays,
    variable_keys: str | Sequence[str] | None = None,
    variable_names: Sequence[str] | None = None,
    *,
    quantile_levels: Sequence[float] | None = None,
) -> Table:
    """A table of metrics, a column for each scalar.

    Rows for each sort of point (mean, median): its root mean square error in standard deviations of the true values,
    so that 1 is a guess of their mean, and its correlation with them. With levels also the p-value of the quantiles'
    calibration and the largest distance of share and level.

    Raises:
        DataError, ShapeError, ConfigError: as `quantile_calibration`; also for true values that do not vary.
    """
    found: Estimates = estimated(estimates, targets, variable_keys)
    require_varied(found.names, found.targets)
    rows: dict[str, np.ndarray] = {}
    for name, points in found.points.items():
        error = np.sqrt(((points - found.targets) ** 2).mean(axis=0)) / found.targets.std(axis=0)
        rows |= {f"NRMSE of {name}": error, f"Correlation of {name}": correlations(points, found.targets)}
    if quantile_levels is not None:
        result = quantile_calibration(estimates, targets, variable_keys, quantile_levels=quantile_levels)
        away = np.abs(result.coverage - result.levels[:, None]).max(axis=0)
        rows |= {"p-value of quantiles": result.p_values, "Calibration Error of quantiles": away}
    return Table(rows, labels(found.names, variable_names))


def default_plots_of_models(
    estimates: ArrayLike, targets: ArrayLike, model_names: Sequence[str] | None = None
) -> dict[str, Any]:
    """`mc_confusion_matrix` and `mc_calibration`, by the names `confusion_matrix` and `calibration`."""
    return {
        "confusion_matrix": mc_confusion_matrix(estimates, targets, model_names),
        "calibration": mc_calibration(estimates, targets, model_names),
    }


def default_metrics_of_models(
    estimates: ArrayLike, targets: ArrayLike, model_names: Sequence[str] | None = None
) -> Table:
    """A table with a column for each model: Accuracy (where it is true), Expected Calibration Error, Brier Score."""
    rows = {
        "Accuracy": np.asarray(accuracy(estimates, targets, per_model=True)),
        "Expected Calibration Error": expected_calibration_error(estimates, targets),
        "Brier Score": brier_score(estimates, targets),
    }
    return Table(rows, model_labels(len(rows["Brier Score"]), model_names))
