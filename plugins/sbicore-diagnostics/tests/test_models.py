"""Comparison of models: metrics by hand, plots with models that never occur, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import (
    accuracy,
    brier_score,
    default_metrics_of_models,
    default_plots_of_models,
    expected_calibration_error,
    mc_calibration,
    mc_confusion_matrix,
)

from sbicore.errors import ConfigError, DataError, ShapeError

pytestmark = pytest.mark.usefixtures("nothing_global")

PROBABILITIES = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7], [0.8, 0.2]])
MODELS = np.array([0, 1, 1, 0])
ONE_HOT = np.eye(2)[MODELS]


def calibrated(size, count, sharpness=1.0):
    """Models drawn with given probabilities, and these with their logits times `sharpness`."""
    rng = np.random.default_rng(1)
    logits = 1.5 * rng.normal(size=(size, count))
    exact, told = (np.exp(scale * logits) for scale in (1.0, sharpness))
    exact /= exact.sum(axis=1, keepdims=True)
    models = (rng.random((size, 1)) > exact.cumsum(axis=1)).sum(axis=1).clip(max=count - 1)
    return told / told.sum(axis=1, keepdims=True), models


@pytest.mark.parametrize("targets", [MODELS, ONE_HOT])
def test_metrics_by_hand(targets):
    assert accuracy(PROBABILITIES, targets) == 0.75
    assert accuracy(PROBABILITIES, targets, per_model=True) == pytest.approx([1.0, 0.5])
    assert brier_score(PROBABILITIES, targets) == pytest.approx([(0.01 + 0.36 + 0.09 + 0.04) / 4] * 2)
    shares = [abs(0.6 - 0), abs(0.3 - 0), abs(0.85 - 1) * 2]
    assert expected_calibration_error(PROBABILITIES, targets, num_bins=5)[0] == pytest.approx(sum(shares) / 4)


def test_a_model_that_is_never_true_has_no_accuracy():
    found = accuracy(np.full((3, 3), 1 / 3), [0, 0, 2], per_model=True)
    assert np.isnan(found[1]) and found[0] == 1.0


def test_calibrated_probabilities_have_a_small_error_and_the_lowest_score():
    exact, models = calibrated(20_000, 3)
    sharp, _ = calibrated(20_000, 3, sharpness=3.0)
    assert expected_calibration_error(exact, models).max() < 0.02
    assert expected_calibration_error(sharp, models).min() > 0.08
    assert (brier_score(exact, models) < brier_score(sharp, models)).all()


@pytest.mark.parametrize("count", [2, 3, 7, 12])
def test_plots_of_any_number_of_models(count, drawn):
    given = calibrated(300, count)
    assert len(drawn(mc_calibration(*given)).axes) == count
    ax = drawn(mc_confusion_matrix(*given)).axes[0]
    assert len(ax.texts) == count**2
    shares = np.array([float(text.get_text()) for text in ax.texts]).reshape(count, count)
    assert shares.sum(axis=1) == pytest.approx(np.ones(count), abs=0.05)


def test_numbers_of_data_sets_and_names(drawn):
    figure = drawn(mc_confusion_matrix(PROBABILITIES, MODELS, ["drift", "a very long name of a model"], normalize=None))
    ax = figure.axes[0]
    assert [text.get_text() for text in ax.texts] == ["2", "0", "1", "1"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["drift", "a very l…a model"]


def test_models_that_never_occur_keep_their_row(drawn):
    ax = drawn(mc_confusion_matrix(np.eye(3)[[0, 0, 2]], [0, 0, 2])).axes[0]
    assert [text.get_text() for text in ax.texts][3:6] == ["–", "–", "–"]
    drawn(mc_calibration(np.eye(3)[[0, 0, 2]], [0, 0, 2]))


def test_points_of_the_calibration_plot():
    ax = mc_calibration(PROBABILITIES, MODELS, num_bins=5).axes[0]
    points = ax.lines[-1]
    assert points.get_xdata() == pytest.approx([0.3, 0.6, 0.85])
    assert points.get_ydata() == pytest.approx([0, 0, 1])


def test_the_defaults_together():
    assert list(default_plots_of_models(PROBABILITIES, MODELS)) == ["confusion_matrix", "calibration"]
    table = default_metrics_of_models(PROBABILITIES, MODELS, ["a", "b"])
    assert table["Accuracy"] == {"a": 1.0, "b": 0.5}
    assert list(table) == ["Accuracy", "Expected Calibration Error", "Brier Score"]


@pytest.mark.parametrize("function", [accuracy, brier_score, expected_calibration_error, mc_calibration])
@pytest.mark.parametrize(
    ("error", "message", "estimates", "targets"),
    [
        (DataError, "sum to 1", [[0.5, 0.6]], [0]),
        (DataError, "NaN", [[np.nan, 1.0]], [0]),
        (ShapeError, "M >= 2", [[1.0]], [0]),
        (ShapeError, "targets has shape (2,)", [[0.5, 0.5]], [0, 1]),
        (ShapeError, "targets has shape (1, 3)", [[0.5, 0.5]], [[1, 0, 0]]),
        (DataError, "single 1", [[0.5, 0.5]], [[1, 1]]),
        (DataError, "0 to 1", [[0.5, 0.5]], [2]),
    ],
)
def test_refused(function, error, message, estimates, targets):
    with pytest.raises(error) as caught:
        function(estimates, targets)
    assert message in str(caught.value)


def test_refused_options():
    with pytest.raises(ConfigError, match="num_bins"):
        expected_calibration_error(PROBABILITIES, MODELS, num_bins=0)
    with pytest.raises(ConfigError, match="normalize"):
        mc_confusion_matrix(PROBABILITIES, MODELS, normalize="all")
    with pytest.raises(DataError, match="2 names"):
        mc_calibration(PROBABILITIES, MODELS, ["a"])
