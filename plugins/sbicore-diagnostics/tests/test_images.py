"""Images: what the pictures hold, spectra that are known, and coverage of posteriors that are right and wrong."""

from __future__ import annotations

import io

import numpy as np
import pytest

from sbicore import diagnostics
from sbicore.errors import ConfigError, DataError, ShapeError
from sbicore.testing import GaussianFieldTask

images = diagnostics.images
TASK = GaussianFieldTask((8, 6))


def posterior(count=300, draws=39, width=1.0):
    """Truths, images, and draws of the exact posterior, narrowed or widened about its mean."""
    data = TASK.sample(count, seed=1)
    noise = np.random.default_rng(2).normal(size=(count, draws, 48)) @ np.linalg.cholesky(TASK.covariance).T
    samples = TASK.mean(data["image"])[:, None] + width * noise.reshape(count, draws, 8, 6, 1)
    return samples, data["field"], data["image"]


class TestGrid:
    def test_it_shows_what_it_says(self):
        samples, truths, given = posterior(5)
        figure = images.grid({"field": samples}, truths, given, num_rows=2, num_draws=3)
        titles = [ax.get_title() for ax in figure.axes[:7]]
        assert titles == ["truth", "condition", "draw 1", "draw 2", "draw 3", "mean", "deviation"]
        shown = [ax.images[0].get_array() for ax in figure.axes[:7]]
        one = samples[0, ..., 0]
        expected = [truths[0, ..., 0], given[0, ..., 0], *one[:3], one.mean(0), one.std(0)]
        for got, want in zip(shown, expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-6)
        assert len({ax.images[0].get_clim() for ax in (figure.axes[i] for i in (0, 2, 3, 4, 5))}) == 1
        figure.savefig(io.BytesIO())

    def test_pixels_of_the_condition_that_were_not_seen_are_grey(self):
        samples, truths, given = posterior(2)
        given = given.copy()
        given[0, 2, 3] = np.nan
        picture = images.grid(samples, truths, given).axes[1].images[0]
        assert np.ma.getmaskarray(picture.get_array()).nonzero() == (2, 3)
        assert picture.cmap.get_bad().tolist() == pytest.approx([0.55, 0.55, 0.55, 1.0], abs=0.01)
        assert picture.cmap.name == "RdBu_r"
        assert images.grid(samples, truths, given**2).axes[1].images[0].cmap.name == "viridis"
        given[1, 0, 0] = np.inf
        with pytest.raises(DataError, match="conditions has 1 values"):
            images.grid(samples, truths, given)

    def test_without_conditions_and_with_one_draw(self):
        samples, truths, _ = posterior(1, 1)
        assert [ax.get_title() for ax in images.grid(samples, truths).axes[:4]] == [
            "truth",
            "draw 1",
            "mean",
            "deviation",
        ]


class TestSpectrum:
    def test_white_noise_has_power_one_everywhere(self):
        rng = np.random.default_rng(1)
        found = images.spectra(rng.normal(size=(200, 4, 7, 10, 1)), rng.normal(size=(200, 7, 10, 1)))
        assert np.abs(found.draws.mean(0) - 1).max() < 4 / np.sqrt(200 * 4)
        assert found.wave_numbers.min() > 0
        assert (np.diff(found.wave_numbers) > 0).all()

    def test_a_wave_lies_at_its_number(self):
        wave = np.sin(2 * np.pi * np.arange(16) / 4)[None, None, :, None] * np.ones((1, 16, 1, 1))
        found = images.spectra(wave[:, None], wave)
        assert found.wave_numbers[found.truth.argmax()] == pytest.approx(0.25, abs=0.02)

    def test_blurred_draws_lack_power_at_small_scales(self):
        samples, truths, _ = posterior()
        right, wrong = (images.spectra(draws, truths) for draws in (samples, samples.mean(1, keepdims=True)))
        assert np.abs(right.draws.mean(0) / right.truth - 1).max() < 0.15
        assert (wrong.draws[0] / wrong.truth)[-1] < 0.7
        images.power_spectrum(samples, truths).figure.savefig(io.BytesIO())


class TestCalibration:
    def test_the_exact_posterior_covers_as_it_should(self):
        found = images.pixelwise_calibration(*posterior()[:2])
        assert found.levels.tolist() == [0.5, 0.9]
        apart = (found.coverage - found.levels[:, None, None]) / found.errors[:, None, None]
        assert np.abs(apart).max() < 4.5

    @pytest.mark.parametrize(("width", "sign"), [(0.7, -1), (1.4, 1)])
    def test_a_wrong_width_shows(self, width, sign):
        found = images.pixelwise_calibration(*posterior(width=width)[:2])
        assert (sign * (found.coverage.mean((1, 2)) - found.levels) > 0.03).all()
        title = images.coverage_map(*posterior(width=width)[:2]).get_title()
        assert title.startswith("90% intervals hold")


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        (lambda s, t: (s[:, 0], t), ShapeError, r"samples has shape .*expected \(N, S, H, W, C\)"),
        (lambda s, t: (s, t[:, :4]), ShapeError, "targets has shape"),
        (lambda s, t: ({"a": s, "b": s}, t), DataError, "samples holds 2 variables: a, b"),
        (lambda s, t: (s * np.nan, t), DataError, "NaN"),
    ],
    ids=["axes", "size", "two", "nan"],
)
@pytest.mark.parametrize("function", ["grid", "spectra", "pixelwise_calibration"])
def test_what_does_not_fit_is_named(change, error, says, function):
    samples, truths, _ = posterior(3, 4)
    with pytest.raises(error, match=says):
        getattr(diagnostics.images, function)(*change(samples, truths))


def test_arguments_that_do_not_fit():
    samples, truths, given = posterior(3, 4)
    with pytest.raises(DataError, match="none is channel=1"):
        images.grid(samples, truths, channel=1)
    with pytest.raises(DataError, match="nothing to show"):
        images.grid(samples, truths, num_rows=0)
    with pytest.raises(ShapeError, match="conditions has shape"):
        images.grid(samples, truths, given[:2])
    with pytest.raises(ConfigError, match="level"):
        images.pixelwise_calibration(samples, truths, (1.5,))
