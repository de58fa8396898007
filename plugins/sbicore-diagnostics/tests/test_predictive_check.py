"""Predictive checks: p-values by hand, pictures by kind of data, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import predictive_check, predictive_p_values

from sbicore.errors import ConfigError, DataError, ShapeError

pytestmark = pytest.mark.usefixtures("nothing_global")

RNG = np.random.default_rng(1)


def test_p_values_by_hand():
    """Of 9 simulated, 8 are lower and 1 equal: 10 of 10 at most as large, 2 of 10 at least."""
    found = predictive_p_values([1, 2, 3, 4, 5, 6, 7, 8, 9], 9.0)
    assert found.p_values == {"value": pytest.approx(0.4)}
    assert predictive_p_values(np.arange(9), 20.0).p_values["value"] == pytest.approx(0.2)
    assert predictive_p_values(np.arange(9), 4.0).p_values["value"] == 1.0


def test_p_values_of_the_right_model_are_uniform():
    """Of 400 at most 5 % and 4 standard errors below 0.05; of one with too little noise most."""
    low = []
    for _ in range(400):
        low.append(predictive_p_values(RNG.normal(size=(99, 10)), RNG.normal(size=10)).p_values["deviation"] <= 0.05)
    assert np.mean(low) < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    wrong = [
        predictive_p_values(0.3 * RNG.normal(size=(99, 10)), RNG.normal(size=10)).p_values["deviation"] <= 0.05
        for _ in range(50)
    ]
    assert np.mean(wrong) > 0.9


def test_default_statistics_follow_the_shape():
    assert list(predictive_p_values(RNG.normal(size=(9, 1)), [0.0]).observed) == ["value"]
    series = predictive_p_values(RNG.normal(size=(9, 5)), np.arange(5.0))
    assert series.observed["autocorrelation of neighbours"] == pytest.approx(0.4)
    image = predictive_p_values(RNG.normal(size=(9, 2, 2)), [[0.0, 1.0], [2.0, 5.0]])
    assert image.observed["roughness"] == pytest.approx((2 + 3) / 2)


@pytest.mark.parametrize(
    ("shape", "panels"),
    [
        ((), 1),
        ((2,), 1 + 4),
        ((9,), 1 + 5),
        ((8, 8), 6 + 5),
        ((8, 8, 1), 6 + 5),
        ((8, 8, 3), 5 + 5),
        ((4, 3), 5),
    ],
)
def test_pictures_by_kind(shape, panels, drawn):
    figure = drawn(predictive_check(RNG.normal(size=(40, *shape)), RNG.normal(size=shape)))
    assert len(figure.axes) == panels


def test_constant_and_whole_numbers(drawn):
    drawn(predictive_check(np.full((10, 4), 0.3), np.full(4, 0.3)))
    ax = drawn(predictive_check([0, 1, 1, 3], 1)).axes[0]
    assert [bar.get_height() for bar in ax.patches] == [1, 2, 0, 1]


def test_own_statistics_alone(drawn):
    figure = drawn(
        predictive_check(RNG.normal(size=(40, 5)), RNG.normal(size=5), {"last": lambda x: x[-1]}, kind="statistics")
    )
    assert [ax.get_title().split("\n")[0] for ax in figure.axes] == ["last"]


@pytest.mark.parametrize(
    ("error", "message", "simulated", "observed", "options"),
    [
        (ShapeError, "expected (S >= 2, 3)", RNG.normal(size=(5, 4)), RNG.normal(size=3), {}),
        (ShapeError, "S >= 2", RNG.normal(size=(1, 3)), RNG.normal(size=3), {}),
        (DataError, "NaN", np.full((5, 3), np.nan), RNG.normal(size=3), {}),
        (DataError, "empty", np.empty((0, 3)), RNG.normal(size=3), {}),
        (ConfigError, "'sound' does not fit", RNG.normal(size=(5, 3)), RNG.normal(size=3), {"kind": "sound"}),
        (
            ConfigError,
            "Choices here: 'series', 'statistics'",
            RNG.normal(size=(5, 3)),
            RNG.normal(size=3),
            {"kind": "image"},
        ),
        (ConfigError, "by name", RNG.normal(size=(5, 3)), RNG.normal(size=3), {"statistics": {}}),
        (DataError, "one number", RNG.normal(size=(5, 3)), RNG.normal(size=3), {"statistics": {"x": lambda x: x}}),
        (DataError, "is NaN", RNG.normal(size=(5, 3)), RNG.normal(size=3), {"statistics": {"x": lambda x: np.nan}}),
    ],
)
def test_refused(error, message, simulated, observed, options):
    with pytest.raises(error) as caught:
        predictive_check(simulated, observed, **options)
    assert message in str(caught.value)
