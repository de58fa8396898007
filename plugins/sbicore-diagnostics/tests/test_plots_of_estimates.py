"""Points and quantiles as networks of scoring rules estimate them."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import (
    calibration_ecdf_from_quantiles,
    default_metrics_from_estimates,
    default_plots_from_estimates,
    quantile_calibration,
    recovery_from_estimates,
)
from scipy.stats import norm

from sbicore.errors import ConfigError, DataError, ShapeError

pytestmark = pytest.mark.usefixtures("nothing_global")

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]


def normal(seed, size, *, deviation=1.0, shape=(2,)):
    """Estimates of the posterior of `theta` given `theta + noise`, and the true values."""
    rng = np.random.default_rng(seed)
    truths = rng.normal(size=(size, *shape))
    mean = (truths + rng.normal(size=truths.shape)) / 2
    steps = deviation * np.sqrt(0.5) * norm.ppf(LEVELS).reshape(-1, *[1] * len(shape))
    return {"mean": {"mean": mean}, "quantiles": {"quantiles": mean[:, None] + steps}}, {"theta": truths}


def by_name(estimates):
    return {
        rule: {statistic: {"theta": value, "k": value[..., 0]} for statistic, value in inner.items()}
        for rule, inner in estimates.items()
    }


def test_recovery_shows_points_and_outermost_quantiles(drawn):
    estimates, targets = normal(1, 40)
    figure = drawn(recovery_from_estimates(estimates, targets))
    assert [ax.get_title().split("\n")[0] for ax in figure.axes] == ["theta[0]", "theta[1]"]
    ax = figure.axes[0]
    middle, mean = ax.lines[0], ax.lines[1]
    assert middle.get_ydata() == pytest.approx(estimates["quantiles"]["quantiles"][:, 2, 0])
    assert mean.get_ydata() == pytest.approx(estimates["mean"]["mean"][:, 0])
    segment = ax.collections[0].get_segments()[0][:, 1]
    assert segment == pytest.approx(estimates["quantiles"]["quantiles"][0, [0, 4], 0])


@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_forms_of_estimates(shape, drawn):
    estimates, targets = normal(1, 30, shape=shape)
    flat = {"mean": estimates["mean"]["mean"], "quantiles": estimates["quantiles"]["quantiles"]}
    for form, truth in ((estimates, targets), (flat, targets), (flat, targets["theta"])):
        drawn(recovery_from_estimates(form, truth))
        calibration_ecdf_from_quantiles(form, truth, quantile_levels=LEVELS)


def test_several_variables_and_joint_statistics():
    estimates, targets = normal(1, 30)
    targets["k"] = targets["theta"][..., 0]
    named = by_name(estimates) | {"normal": {"loc": by_name(estimates)["mean"]["mean"], "covariance": {"joint": 1.0}}}
    figure = recovery_from_estimates(named, targets)
    assert [ax.get_title().split("\n")[0] for ax in figure.axes] == ["theta[0]", "theta[1]", "k"]
    assert len(recovery_from_estimates(named, targets, "k").axes) == 1
    result = quantile_calibration(named, targets, ["k", "theta"], quantile_levels=LEVELS)
    assert result.names == ("k", "theta[0]", "theta[1]")
    with pytest.raises(DataError, match="one variable without a name, beside targets with 2\nSay which"):
        recovery_from_estimates(estimates, targets)
    assert len(recovery_from_estimates(estimates, targets, "theta").axes) == 2


def test_shares_below_quantiles_by_hand():
    quantiles = np.tile([[-1.0, 0.0, 1.0]], (20, 1))
    truths = np.repeat([-2.0, -0.5, 0.5, 2.0], [4, 6, 8, 2])
    result = quantile_calibration({"quantiles": quantiles}, truths, quantile_levels=[0.2, 0.5, 0.9])
    assert result.coverage[:, 0] == pytest.approx([0.2, 0.5, 0.9])
    assert result.p_values[0] > 0.9


def test_alarms_of_quantiles():
    """Of 400 calibrated columns 5 % leave their band, within 4 standard errors; all too narrow ones do."""
    estimates, targets = normal(1, 300, shape=(400,))
    found = quantile_calibration(estimates, targets, quantile_levels=LEVELS)
    inside = (found.lower[:, None] <= found.coverage) & (found.coverage <= found.upper[:, None])
    assert (~inside.all(axis=0)).mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    assert (found.p_values <= 0.05).mean() == pytest.approx(0.04, abs=0.04)
    narrow = normal(1, 300, deviation=0.6, shape=(400,))
    assert (quantile_calibration(*narrow, quantile_levels=LEVELS).p_values <= 0.05).mean() > 0.99


def test_the_defaults_together():
    estimates, targets = normal(1, 2_000)
    plots = default_plots_from_estimates(estimates, targets, quantile_levels=LEVELS)
    assert list(plots) == ["recovery", "calibration_ecdf"]
    table = default_metrics_from_estimates(estimates, targets, quantile_levels=LEVELS)
    assert table["NRMSE of mean"]["theta[0]"] == pytest.approx(np.sqrt(0.5), abs=0.04)
    assert table["Correlation of mean"]["theta[0]"] == pytest.approx(np.sqrt(0.5), abs=0.04)
    assert table["Calibration Error of quantiles"]["theta[0]"] < 0.04
    assert list(default_plots_from_estimates({"mean": estimates["mean"]}, targets)) == ["recovery"]


@pytest.mark.parametrize(
    ("error", "message", "estimates", "targets", "levels"),
    [
        (DataError, "must be a mapping", [1.0], [1.0], LEVELS),
        (
            DataError,
            "none of median, mean, loc, quantiles\nThere are: 'probs'",
            {"probs": 1},
            [1],
            LEVELS,
        ),
        (DataError, "no 'quantiles'", {"mean": np.ones(20)}, np.ones(20), LEVELS),
        (DataError, "Quantiles cross", {"quantiles": np.ones((20, 2)) * [1, 0]}, np.ones(20), [0.1, 0.9]),
        (DataError, "At least 10", {"quantiles": np.ones((5, 2))}, np.ones(5), [0.1, 0.9]),
        (DataError, "NaN", {"quantiles": np.full((20, 2), np.nan)}, np.ones(20), [0.1, 0.9]),
        (ShapeError, "of quantiles", {"quantiles": np.ones((20, 2, 3))}, np.ones((20, 2)), [0.1, 0.9]),
        (
            ConfigError,
            "3 quantile_levels for 2",
            {"quantiles": np.ones((20, 2))},
            np.ones(20),
            [0.1, 0.5, 0.9],
        ),
        (ConfigError, "that increase", {"quantiles": np.ones((20, 2))}, np.ones(20), [0.9, 0.1]),
        (ConfigError, "between 0 and 1", {"quantiles": np.ones((20, 2))}, np.ones(20), [0.0, 0.9]),
    ],
)
def test_refused(error, message, estimates, targets, levels):
    with pytest.raises(error) as caught:
        calibration_ecdf_from_quantiles(estimates, targets, quantile_levels=levels)
    assert message in str(caught.value)
