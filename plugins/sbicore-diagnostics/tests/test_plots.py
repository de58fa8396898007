"""Plots: they draw what they are given, refuse what they cannot draw, and touch nothing global."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from sbicore_diagnostics import loss, pairs_posterior, predictive_band

from sbicore.errors import ConfigError, DataError, ShapeError

RNG = np.random.default_rng(1)


pytestmark = pytest.mark.usefixtures("nothing_global")


def titles(figure):
    return [ax.get_title().split("\n")[0] for ax in figure.axes if ax.get_title()]


def draws(*shape):
    return RNG.normal(size=shape)


def test_importing_imports_nothing_heavy():
    code = "import sbicore_diagnostics, sys; print({'matplotlib', 'scipy', 'sklearn'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# pairs_posterior


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ({"a": draws(500)}, ["a"]),
        ({"a": draws(500, 1)}, ["a[0]"]),
        ({"a": draws(500), "b": draws(500, 2)}, ["a", "b[0]", "b[1]"]),
        ({"a": draws(1, 500), "b": draws(1, 500, 2)}, ["a", "b[0]", "b[1]"]),
        ({"few": draws(3, 2)}, ["few[0]", "few[1]"]),
        ({"one": draws(1)}, ["one"]),
        ({"a": draws(200), "constant": np.full(200, 0.1), "k": np.arange(200) % 2}, ["a", "constant", "k"]),
        ({"a": 1e9 + draws(200), "b": 1e-9 * draws(200), "c": 1e30 * draws(200)}, ["a", "b", "c"]),
        ({"copy": np.repeat(draws(200, 1), 2, axis=1)}, ["copy[0]", "copy[1]"]),
        ({"heavy": RNG.standard_cauchy((2_000, 2))}, ["heavy[0]", "heavy[1]"]),
    ],
)
def test_pairs_of_all_sorts(samples, expected, drawn):
    figure = drawn(pairs_posterior(samples))
    assert titles(figure) == expected
    assert len(figure.axes) == len(expected) * (len(expected) + 1) / 2


def test_titles_have_three_digits_and_no_powers_of_ten_below_a_million():
    figure = pairs_posterior({"flow": 1040 + draws(500, 1), "share": 0.0123 + 1e-6 * draws(500, 1)})
    titles = " ".join(ax.get_title() for ax in figure.axes)
    assert "1040" in titles and "0.0123" in titles and "e+" not in titles


def test_pairs_in_twenty_dimensions():
    figure = pairs_posterior({"theta": draws(10_000, 20)})
    assert len(figure.axes) == 210
    assert figure.get_figwidth() <= 24


def density(ax):
    """Of a marginal, as shares of its peak."""
    values = ax.lines[0].get_ydata()
    return values / values.max()


@pytest.mark.parametrize("size", [60, 200, 2_000])
def test_densities_fall_to_zero_and_no_draw_is_cut_by_the_frame(size):
    samples = np.random.default_rng(size).normal(size=(size, 2))
    upper, joint, lower = pairs_posterior({"theta": samples}).axes
    for ax, values in ((upper, samples[:, 0]), (lower, samples[:, 1])):
        assert max(density(ax)[[0, -1]]) < 0.02
        assert ax.get_xlim()[0] < values.min() and values.max() < ax.get_xlim()[1]
    if joint.collections:
        region = np.concatenate([path.vertices for path in joint.collections[0].get_paths()])
        assert np.all(region.min(0) > [joint.get_xlim()[0], joint.get_ylim()[0]])
        assert np.all(region.max(0) < [joint.get_xlim()[1], joint.get_ylim()[1]])


def test_densities_end_at_bounds_and_do_not_fall_there():
    values = np.random.default_rng(1).uniform(size=(2_000, 2))
    free, bounded = (pairs_posterior({"u": values}, bounds=given) for given in (None, {"u": (0, [1, 2]), "v": (0, 1)}))
    first, _, second = bounded.axes
    assert first.get_xlim() == (0, 1) and second.get_xlim()[0] == 0 and 1 < second.get_xlim()[1] < 2
    assert density(first).min() > 0.7 and density(second)[0] > 0.7 > 0.02 > density(second)[-1]
    assert free.axes[0].get_xlim()[0] < 0 and density(free.axes[0])[0] < 0.02


def test_draws_far_out_do_not_widen_the_axes():
    values = np.concatenate([np.random.default_rng(1).normal(size=5_000), [-50.0] * 5])
    assert pairs_posterior({"a": values}).axes[0].get_xlim()[0] > -5


def test_targets_are_marked_even_far_outside(drawn):
    samples, targets = {"a": draws(300), "b": draws(300, 2)}, {"b": [0.5, 40.0], "x": [1]}
    figure = drawn(pairs_posterior(samples, targets=targets))
    last = figure.axes[-1]
    assert last.lines[-1].get_xdata()[0] == 40.0
    assert last.get_xlim()[1] > 40.0
    assert len(figure.axes[0].lines) == 1


def test_one_data_set_of_many():
    samples = {"a": draws(3, 300) + 10 * np.arange(3)[:, None]}
    figure = pairs_posterior(samples, targets={"a": [0.0, 10.0, 20.0]}, dataset_id=-1, variable_names=["alpha"])
    assert 14 < figure.axes[0].get_xlim()[0] < 20
    assert figure.axes[0].lines[-1].get_xdata()[0] == 20.0
    assert titles(figure) == ["alpha"]


def test_the_regions_hold_their_share_of_the_draws():
    samples = RNG.multivariate_normal([0, 0], [[1, 0.7], [0.7, 1]], size=20_000)
    ax = pairs_posterior({"theta": samples}).axes[1]
    outer = ax.collections[0].get_paths()
    share = np.mean([any(path.contains_point(point) for path in outer[:2]) for point in samples[:2_000]])
    assert share == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("error", "message", "samples", "options"),
    [
        (DataError, "mapping", {}, {}),
        (DataError, "mapping", draws(5, 2), {}),
        (DataError, "empty", {"a": draws(0)}, {}),
        (DataError, "1 values of 5", {"a": [1, 2, np.nan, 4, 5]}, {}),
        (DataError, "numbers", {"a": ["x"]}, {}),
        (ShapeError, "a has shape ()", {"a": 1.0}, {}),
        (ShapeError, "b has shape (4,), expected (5,)", {"a": draws(5), "b": draws(4)}, {}),
        (ShapeError, "expected (3,)", {"a": draws(3, 5, 2)}, {}),
        (ShapeError, "expected (O, S, ...)", {"a": draws(5)}, {"dataset_id": 0}),
        (DataError, "dataset_id=3", {"a": draws(3, 5)}, {"dataset_id": 3}),
        (DataError, "2 labels for 1", {"a": draws(5)}, {"variable_names": ["a", "b"]}),
        (DataError, "No target", {"a": draws(5)}, {"targets": {"b": 1}}),
        (ShapeError, "targets['a'] has shape (2,)", {"a": draws(5)}, {"targets": {"a": [1, 2]}}),
        (DataError, "targets['a'] has 1 values", {"a": draws(5)}, {"targets": {"a": np.nan}}),
        (ConfigError, "bounds must be a dict", {"a": draws(5)}, {"bounds": (0, 1)}),
        (ConfigError, "must be (low, high)", {"a": draws(5)}, {"bounds": {"a": 1}}),
        (ConfigError, "must be (low, high)", {"a": draws(5, 2)}, {"bounds": {"a": ([0, 0, 0], 1)}}),
        (ConfigError, "low must be below high", {"a": draws(5)}, {"bounds": {"a": (1, 0)}}),
        (DataError, "a has 5 draws of 5 outside its bounds (90, inf)", {"a": draws(5)}, {"bounds": {"a": (90, None)}}),
    ],
)
def test_pairs_refuse(error, message, samples, options):
    with pytest.raises(error) as caught:
        pairs_posterior(samples, **options)
    assert message in str(caught.value)


# predictive_band


def test_a_band_with_its_observations(drawn):
    figure = predictive_band(draws(100, 14), draws(14), times=np.arange(14), xlabel="day", ylabel="in bed")
    ax = drawn(figure).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("day", "in bed")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["90 %", "50 %", "median", "observed"]


def test_a_band_has_the_quantiles_of_its_draws():
    series = draws(1_000, 3)
    ax = predictive_band(series, levels=[0.8]).axes[0]
    points = ax.collections[0].get_paths()[0].vertices
    assert points[:, 1].min() == pytest.approx(np.quantile(series, 0.1, axis=0).min())
    assert ax.lines[0].get_ydata() == pytest.approx(np.median(series, axis=0))


def test_a_band_over_dates(drawn):
    days = np.datetime64("1978-01-22") + np.arange(3)
    drawn(predictive_band(draws(50, 3), times=days))


@pytest.mark.parametrize(
    ("error", "message", "args", "options"),
    [
        (ShapeError, "draws has shape (5,)", [draws(5)], {}),
        (ShapeError, "T >= 2", [draws(5, 1)], {}),
        (DataError, "empty", [draws(0, 3)], {}),
        (DataError, "NaN", [np.full((2, 2), np.nan)], {}),
        (ShapeError, "observed has shape (3,), expected (4,)", [draws(5, 4), draws(3)], {}),
        (DataError, "observed has 1", [draws(5, 2), [1, np.inf]], {}),
        (ShapeError, "times has shape (3,)", [draws(5, 4)], {"times": [1, 2, 3]}),
        (DataError, "increase", [draws(5, 2)], {"times": [2, 1]}),
        (ConfigError, "levels", [draws(5, 2)], {"levels": [0.5, 90]}),
        (ConfigError, "levels", [draws(5, 2)], {"levels": []}),
    ],
)
def test_bands_refuse(error, message, args, options):
    with pytest.raises(error) as caught:
        predictive_band(*args, **options)
    assert message in str(caught.value)


# loss


class History:
    loss = (3.0, float("nan"), 1.0)
    val_loss = (3.1, 2.0, 1.5)
    best_epoch = 2


@pytest.mark.parametrize(
    ("history", "legend"),
    [
        (History, ["training", "validation", "best"]),
        ({"loss": [1.0, 0.5], "val_loss": []}, ["training"]),
        ({"loss": [1.0]}, ["training"]),
    ],
)
def test_losses(history, legend, drawn):
    figure = drawn(loss(history))
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == legend


def test_the_best_epoch_is_counted_from_one():
    best = loss(History).axes[0].lines[-1]
    assert (best.get_xdata(), best.get_ydata()) == ([3], [1.5])


@pytest.mark.parametrize("history", [{}, {"loss": []}, {"loss": [np.nan]}, object()])
def test_no_loss_to_plot(history):
    with pytest.raises(DataError, match="no finite loss"):
        loss(history)


def test_losses_of_unequal_length():
    with pytest.raises(ShapeError, match="val_loss"):
        loss({"loss": [1, 2, 3], "val_loss": [1]})


# composition


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_plots_share_a_figure(layout, drawn):
    whole = Figure(figsize=(9, 4), layout=layout)
    left, right = whole.subfigures(1, 2)
    above, below = right.subplots(2)
    assert pairs_posterior({"a": draws(300, 2)}, figure=left) is left
    assert predictive_band(draws(50, 5), ax=above) is right
    assert loss({"loss": [2, 1]}, ax=below) is right
    drawn(left)
