"""Recovery, calibration, coverage and z-scores: what the panels show, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from sbicore_diagnostics import (
    calibration_ecdf,
    calibration_histogram,
    correlation,
    coverage,
    default_metrics,
    default_plots,
    recovery,
    sbc,
    tarp,
    z_score_contraction,
)
from sbicore_diagnostics.plots._style import ACCENT

from sbicore.errors import ConfigError, DataError, ShapeError

pytestmark = pytest.mark.usefixtures("nothing_global")

PLOTS = [recovery, calibration_ecdf, calibration_histogram, coverage, z_score_contraction]
each_plot = pytest.mark.parametrize("plot", PLOTS)


def titles(figure):
    return [ax.get_title().split("\n")[0] for ax in figure.axes]


def has_alarm(ax):
    colors = [line.get_color() for line in ax.lines] + [to_hex(bar.get_facecolor()) for bar in ax.patches]
    return ACCENT in colors


@each_plot
@pytest.mark.parametrize("count", [1, 2, 7, 14, 50])
def test_every_parameter_has_a_panel_and_no_panel_is_empty(plot, count, posteriors, drawn):
    figure = plot(*posteriors(1, 20, 12, count))
    if count < 50:
        drawn(figure)
    assert titles(figure) == [f"[{i}]" for i in range(count)]
    assert all(ax.lines or ax.collections for ax in figure.axes)
    assert figure.get_figwidth() < 16 and figure.get_figheight() < 16


@pytest.mark.parametrize("plot", [recovery, calibration_ecdf, z_score_contraction])
def test_titles_and_labels_do_not_overlap(plot, posteriors):
    """Of neighbouring panels, as rendered: titles, tick labels and the labels of the figure."""
    figure = plot(*posteriors(1, 40, 12, 14), variable_names=[f"a rather long name of {i}" for i in range(14)])
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.texts]
    for ax in figure.axes:
        for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            ticks = [tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            boxes += [tick.get_window_extent() for tick in ticks]
        boxes.append(ax.title.get_window_extent())
    for i, one in enumerate(boxes):
        assert one.x0 >= 0 and one.y0 >= 0 and one.x1 <= figure.bbox.width and one.y1 <= figure.bbox.height
        for other in boxes[:i]:
            width = min(one.x1, other.x1) - max(one.x0, other.x0)
            height = min(one.y1, other.y1) - max(one.y0, other.y0)
            assert min(width, height) < 2, (one, other)


@each_plot
def test_variables_are_chosen_and_named(plot, posteriors):
    samples, targets = posteriors(1, 20, 12, 3)
    named = {"a": samples[..., 0], "b": samples[..., 1:]}, {"a": targets[:, 0], "b": targets[:, 1:], "x": targets}
    assert titles(plot(*named)) == ["a", "b[0]", "b[1]"]
    assert titles(plot(*named, "b", ["one", "two"])) == ["one", "two"]
    assert titles(plot(*named, variable_keys=["b", "a"])) == ["b[0]", "b[1]", "a"]
    with pytest.raises(DataError, match="There is no variable 'c'\nThere are: 'a', 'b'"):
        plot(*named, "c")
    with pytest.raises(DataError, match="variable_names has 1 labels for 3 scalars"):
        plot(*named, variable_names=["a"])
    with pytest.raises(DataError, match="samples is an array"):
        plot(samples, targets, "a")


@each_plot
def test_plots_refuse_what_they_cannot_show(plot, posteriors):
    samples, targets = posteriors(1, 20, 12, 2)
    with pytest.raises(DataError, match="NaN"):
        plot(np.where(samples > 1, np.nan, samples), targets)
    with pytest.raises(ShapeError, match="exchanged"):
        plot(samples.swapaxes(0, 1), targets)
    with pytest.raises(DataError, match=r"65 panels; at most 64 .*\nChoose some of them: variable_keys"):
        plot(np.repeat(samples[..., :1], 65, axis=2), np.repeat(targets[:, :1], 65, axis=1))
    if plot is not recovery:
        with pytest.raises(DataError, match="1 draws for each data set"):
            plot(samples[:, :1], targets)
        with pytest.raises(DataError, match="1 data sets"):
            plot(samples[:1], targets[:1])


@each_plot
def test_plots_fill_a_figure(plot, posteriors, drawn):
    for layout in (None, "constrained"):
        whole = Figure(figsize=(9, 4), layout=layout)
        left, _ = whole.subfigures(1, 2)
        assert drawn(plot(*posteriors(1, 20, 12, 2), figure=left)) is left


def test_recovery_shows_medians_and_intervals():
    samples = np.array([[[0.0], [1.0], [5.0]], [[2.0], [2.0], [2.0]], [[4.0], [3.0], [8.0]]])
    ax = recovery(samples, [[0.5], [2.0], [5.0]], interval=0.8).axes[0]
    points = ax.lines[0]
    assert (points.get_xdata().tolist(), points.get_ydata().tolist()) == ([0.5, 2.0, 5.0], [1.0, 2.0, 4.0])
    first = ax.collections[0].get_segments()[0]
    assert first == pytest.approx(np.array([[0.5, 0.2], [0.5, 4.2]]))
    assert ax.get_title().endswith(f"r = {np.corrcoef([0.5, 2, 5], [1, 2, 4])[0, 1]:.3f}")
    assert ax.get_xlim() == ax.get_ylim()


def test_recovery_of_one_draw_one_data_set_and_a_constant(drawn):
    assert not drawn(recovery(np.ones((1, 1, 1)), np.ones((1, 1)))).axes[0].collections
    assert "\n" not in drawn(recovery(np.ones((5, 4, 1)), np.ones((5, 1)))).axes[0].get_title()


def test_recovery_refuses_options():
    with pytest.raises(ConfigError, match="'median', 'mean', got 'mode'"):
        recovery(np.ones((1, 1)), [1.0], point="mode")
    with pytest.raises(ConfigError, match="interval"):
        recovery(np.ones((1, 1)), [1.0], interval=90)


@pytest.mark.parametrize("plot", [calibration_ecdf, calibration_histogram, coverage])
def test_what_is_wrong_is_orange(plot, posteriors):
    assert not has_alarm(plot(*posteriors(1, 500, 50, 1)).axes[0])
    assert has_alarm(plot(*posteriors(1, 500, 50, 1, deviation=0.6)).axes[0])


@pytest.mark.parametrize("difference", [True, False])
def test_the_ecdf_is_that_of_sbc(difference, posteriors):
    given = posteriors(1, 60, 20, 1)
    result, curve = sbc(*given), calibration_ecdf(*given, difference=difference).axes[0].lines[1]
    expected = result.ecdf[:, 0] - (result.points if difference else 0)
    assert curve.get_ydata()[1:-1] == pytest.approx(expected)


def test_stacked_curves_are_in_one_panel_with_names(posteriors, drawn):
    figure = drawn(calibration_ecdf(*posteriors(1, 60, 20, 3), stacked=True))
    assert len(figure.axes) == 1
    assert [text.get_text()[:3] for text in figure.axes[0].get_legend().get_texts()] == ["[0]", "[1]", "[2]"]
    many = drawn(calibration_ecdf(*posteriors(1, 200, 20, 12, shift=0.5), stacked=True))
    assert len(many.axes[0].get_legend().get_texts()) == 7


def test_the_histogram_counts_every_data_set(posteriors):
    figure = calibration_histogram(*posteriors(1, 60, 10, 1), num_bins=4)
    heights = [bar.get_height() for bar in figure.axes[0].patches if bar.get_width() == 0.25]
    assert (len(heights), sum(heights)) == (4, 60)
    with pytest.raises(ConfigError, match="num_bins must be 2 or more"):
        calibration_histogram(*posteriors(1, 60, 10, 1), num_bins=1)


def test_bars_of_calibrated_posteriors_stay_in_the_band(posteriors):
    """The band holds all bars at once in at least 95 %: of 60 panels at most 8 have an orange bar (p = 0.004)."""
    figure = calibration_histogram(*posteriors(3, 400, 30, 60))
    assert sum(has_alarm(ax) for ax in figure.axes) <= 8


def test_coverage_of_a_result(posteriors, drawn):
    result = tarp(*posteriors(1, 60, 20, 2))
    figure = drawn(coverage(result, variable_names=["all"], difference=True))
    assert titles(figure) == ["all"]
    assert figure.axes[0].lines[1].get_ydata()[1:-1] == pytest.approx(result.coverage[:, 0] - result.levels)
    with pytest.raises(DataError, match="as it is"):
        coverage(result, np.ones((60, 2)))
    with pytest.raises(DataError, match="true values"):
        coverage(np.ones((60, 20)))


def test_z_scores_over_contraction(posteriors):
    samples, targets = posteriors(1, 60, 20, 1)
    points = z_score_contraction(samples, targets).axes[0].lines[1]
    expected = (samples.mean(axis=1) - targets)[:, 0] / samples.std(axis=1, ddof=1)[:, 0]
    assert points.get_ydata() == pytest.approx(expected)
    assert points.get_xdata() == pytest.approx(1 - samples.var(axis=1, ddof=1)[:, 0] / targets.var(ddof=1))


def test_correlation_by_hand():
    found = correlation([[1.0, 2.0, 9.0], [3.0, 3.0, 4.0], [0.0, 1.0, 5.0]], [1.0, 4.0, 2.0])
    assert found == pytest.approx([np.corrcoef([2, 3, 1], [1, 4, 2])[0, 1]])
    with pytest.raises(DataError, match="Medians of .* are the same"):
        correlation(np.ones((3, 2)), [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="At least 3"):
        correlation(np.ones((2, 2)), [1.0, 2.0])


def test_the_defaults_together(posteriors):
    given = posteriors(1, 200, 50, 2)
    assert list(default_plots(*given)) == ["recovery", "calibration_ecdf", "coverage", "z_score_contraction"]
    table = default_metrics(*given, variable_names=["a", "b"])
    assert table.columns == ("a", "b")
    assert list(table)[:2] == ["NRMSE", "Correlation"]
    assert min(table["Log Gamma"].values()) > 0
    assert max(table["Calibration Error"].values()) < 0.05
    assert max(default_metrics(*posteriors(1, 200, 50, 2, deviation=0.5))["Log Gamma"].values()) < 0
