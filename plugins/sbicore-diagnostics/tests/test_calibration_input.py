"""What all metrics of many data sets refuse, and in which words."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import (
    calibration_log_gamma,
    expected_coverage,
    hpd_coverage,
    nrmse,
    posterior_contraction,
    posterior_z_score,
    sbc,
    tarp,
)

from sbicore.errors import DataError, ShapeError

TESTS = [sbc, calibration_log_gamma, expected_coverage, tarp]
METRICS = [*TESTS, nrmse, posterior_contraction, posterior_z_score]
NAN = np.where(np.arange(400).reshape(20, 10, 2) == 7, np.nan, 1.0)


def ones(*shape):
    return np.ones(shape)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    ("error", "message", "samples", "targets"),
    [
        (DataError, "samples has 1 values of 400 that are NaN", NAN, ones(20, 2)),
        (DataError, "targets['b'] has 40 values of 40", {"b": ones(20, 10, 2)}, {"b": np.inf * ones(20, 2)}),
        (DataError, "targets has no 'theta'\nThere are: 'x'", {"theta": ones(20, 10)}, {"x": ones(20)}),
        (DataError, "both be arrays, or both mappings", {"theta": ones(20, 10)}, ones(20)),
        (DataError, "samples is empty", {}, {}),
        (DataError, "samples is empty, with shape (0, 10, 2)", ones(0, 10, 2), ones(0, 2)),
        (DataError, "samples must be an array of numbers", [["a"]], [1.0]),
        (ShapeError, "Expected is (30 data sets, S draws, 2) beside (30 data sets, 2)", ones(20, 10, 2), ones(30, 2)),
        (ShapeError, "Expected is (20 data sets, S draws, 3)", ones(20, 10, 2), ones(20, 3)),
        (ShapeError, "exchanged: samples.swapaxes(0, 1)", ones(10, 20, 2), ones(20, 2)),
        (ShapeError, "samples has shape (20,) beside targets of shape (20,)", ones(20), ones(20)),
        (ShapeError, "Expected is (N data sets, S draws)", ones(20, 10), 1.0),
        (
            ShapeError,
            "samples['b'] has shape (20, 9) beside targets['b'] of shape (20,)\nExpected is (20 data sets, 10 draws)",
            {"a": ones(20, 10), "b": ones(20, 9)},
            {"a": ones(20), "b": ones(20)},
        ),
        (
            ShapeError,
            "samples['b'] has shape (9, 10) beside targets['b'] of shape (9,)\nExpected is (20 data sets, 10 draws)",
            {"a": ones(20, 10), "b": ones(9, 10)},
            {"a": ones(20), "b": ones(9)},
        ),
    ],
)
def test_bad_input(metric, error, message, samples, targets):
    with pytest.raises(error) as caught:
        metric(samples, targets)
    assert message in str(caught.value)
    assert str(caught.value).count("\n") <= 2


@pytest.mark.parametrize("metric", [*TESTS, hpd_coverage])
def test_tests_need_ten_data_sets_and_ten_draws(metric):
    rng = np.random.default_rng(1)
    metric(rng.normal(size=(10, 10)), rng.normal(size=10))
    with pytest.raises(DataError, match="There are 9 data sets, .*\nAt least 10"):
        metric(rng.normal(size=(9, 10)), rng.normal(size=9))
    with pytest.raises(DataError, match="There are 9 draws for each data set, .*\nAt least 10"):
        metric(rng.normal(size=(10, 9)), rng.normal(size=10))


def test_deviations_need_two():
    with pytest.raises(DataError, match="There are 1 draws .*\nAt least 2"):
        posterior_z_score([[1.0]], [1.0])
    with pytest.raises(DataError, match="There are 1 data sets, .*\nAt least 2"):
        posterior_contraction([[1.0, 2.0]], [1.0])


@pytest.mark.parametrize("metric", TESTS)
def test_collapsed_posteriors_are_found(metric, posteriors):
    """All draws equal: the truth lies above or below all of them."""
    samples, targets = posteriors(1, 50, 20, 1)
    result = metric(np.repeat(samples[:, :1], 20, axis=1), targets)
    assert np.all(result < 0) if metric is calibration_log_gamma else result.p_values[0] < 1e-6


@pytest.mark.parametrize("metric", TESTS)
def test_a_constant_parameter_is_no_trouble(metric, posteriors):
    samples, targets = posteriors(1, 50, 20, 2)
    samples[..., 1], targets[..., 1] = 3.0, 3.0
    result = metric(samples, targets)
    assert np.all(result > 0) if metric is calibration_log_gamma else np.all(result.p_values > 0.05)


@pytest.mark.parametrize("metric", METRICS)
def test_float32_dicts_are_taken_as_they_come(metric, posteriors):
    samples, targets = (values.astype(np.float32) for values in posteriors(1, 50, 20, 2))
    named = metric({"theta": samples}, {"theta": targets, "x": targets})
    plain = metric(samples, targets)
    if isinstance(named, tuple):
        assert named.names in [("joint",), ("theta[0]", "theta[1]")]
        named, plain = named[1:], plain[1:]
    for one, two in zip(named, plain, strict=True):
        assert np.array_equal(one, two)
