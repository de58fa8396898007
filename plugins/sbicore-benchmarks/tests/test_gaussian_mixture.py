"""Gaussian mixture against integrals over a grid."""

import numpy as np
import pytest
from sbicore_benchmarks import GaussianMixture
from scipy import stats

from sbicore.errors import DataError

SIMULATOR = GaussianMixture().build()
OBSERVABLES = [(0.0, 0.0), (9.95, -3.0), (10.2, 10.1), (-12.0, 4.0)]


def grid(centre, half_width, cells):
    """Midpoints of the cells of a square, `(cells, cells, 2)`, and the area of one."""
    width = 2.0 * half_width / cells
    points = np.stack(np.indices((cells, cells)), axis=-1) * width + width / 2.0 - half_width
    return points + centre, width**2


def test_the_likelihood_is_the_mixture():
    theta, x = np.array([1.0, -2.0]), np.random.default_rng(0).normal(size=(30, 2)) * 0.5 + [1.0, -2.0]
    mixture = [stats.multivariate_normal(theta, variance).pdf(x) for variance in (1.0, 0.01)]
    assert np.allclose(SIMULATOR.log_likelihood(theta, x), np.log(0.5 * sum(mixture)))


def test_half_of_the_data_are_narrow_as_pairs():
    distance = np.hypot(*SIMULATOR.simulate(np.zeros((20_000, 2)), np.random.default_rng(0)).T.astype(float))
    expected = stats.kstest(distance, lambda r: 1.0 - 0.5 * np.exp(-0.5 * r**2) - 0.5 * np.exp(-50.0 * r**2))
    assert expected.pvalue > 1e-3


@pytest.mark.parametrize("observable", OBSERVABLES)
def test_the_posterior_integrates_to_one_and_its_draws_follow_it(observable):
    points, area = grid(np.round(observable), 6.0, 1200)
    log_density = SIMULATOR.posterior_log_prob(points, observable)
    density, seen = np.exp(log_density), log_density > -700.0
    assert density.sum() * area == pytest.approx(1.0, abs=2e-3)
    draws = SIMULATOR.posterior(observable, 20_000, np.random.default_rng(1))
    assert (np.abs(draws) <= 10.0).all()
    of_draws = SIMULATOR.posterior_log_prob(draws, observable)
    entropy = (density[seen] * log_density[seen]).sum() * area
    assert of_draws.mean() == pytest.approx(entropy, abs=5 * of_draws.std() / np.sqrt(20_000) + 5e-3)
    mean = (density[..., None] * points).sum(axis=(0, 1)) * area
    assert draws.mean(axis=0) == pytest.approx(mean, abs=5 * draws.std() / np.sqrt(20_000) + 2e-3)


@pytest.mark.parametrize("observation", range(1, 11))
def test_published_draws_have_the_exact_distances_from_the_observable(observation, references):
    observable, _, draws = references("gaussian_mixture", observation)
    ours = SIMULATOR.posterior(observable, 10_000, np.random.default_rng(observation))
    by_distance = (np.hypot(*(theta - observable).T) for theta in (draws, ours))
    for theirs, own in (by_distance, *zip(draws.T, ours.T, strict=True)):
        assert stats.ks_2samp(theirs, own).pvalue > 1e-4


def test_an_impossible_observable_is_refused():
    with pytest.raises(DataError, match="gaussian_mixture does not produce"):
        SIMULATOR.posterior((100.0, 0.0), 10, np.random.default_rng(0))
    assert SIMULATOR.log_evidence((100.0, 0.0)) == -np.inf
