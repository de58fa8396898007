"""Two moons against its definition: densities integrate to one, draws follow them."""

import numpy as np
import pytest
from sbicore_benchmarks import TwoMoons

from sbicore.errors import DataError, ShapeError

SIMULATOR = TwoMoons().build()
OBSERVABLES = [(0.0, 0.0), (-0.6, -0.3), (0.3, 0.1), (0.15, -1.2), (-0.95, 0.2)]


def grid(low, high, cells):
    """One random point in each cell of a square, `(cells**2, 2)`, and the area of a cell.

    The densities have sharp edges at 45 degrees, where midpoints would all err to the same side.
    """
    width = (high - low) / cells
    corners = low + np.stack(np.indices((cells, cells)), axis=-1).reshape(-1, 2) * width
    return corners + np.random.default_rng(0).uniform(0.0, width, corners.shape), width**2


def test_sample_has_the_shapes_and_is_reproducible():
    data = TwoMoons().sample(100, seed=1)
    assert {name: (value.shape, value.dtype) for name, value in data.items()} == {
        "parameters": ((100, 2), np.float32),
        "observables": ((100, 2), np.float32),
    }
    again, other = TwoMoons().sample(100, seed=1), TwoMoons().sample(100, seed=2)
    assert all(np.array_equal(data[name], again[name]) for name in data)
    assert not np.array_equal(data["observables"], other["observables"])


def test_without_a_seed_torch_decides():
    import torch

    torch.manual_seed(3)
    first = TwoMoons().sample(5)
    second = TwoMoons().sample(5)
    torch.manual_seed(3)
    assert np.array_equal(first["parameters"], TwoMoons().sample(5)["parameters"])
    assert not np.array_equal(first["parameters"], second["parameters"])


def test_simulate_follows_the_definition():
    theta = np.array([0.3, -0.7])
    x = SIMULATOR.simulate(np.tile(theta, (20_000, 1)), np.random.default_rng(0)).astype(np.float64)
    u = x[:, 0] + abs(theta.sum()) / np.sqrt(2) - 0.25
    v = x[:, 1] - (theta[1] - theta[0]) / np.sqrt(2)
    radius, angle = np.hypot(u, v), np.arctan2(v, u)
    assert abs(radius.mean() - 0.1) < 3e-4
    assert abs(radius.std() - 0.01) < 3e-4
    counts, _ = np.histogram(angle, bins=20, range=(-np.pi / 2, np.pi / 2))
    assert counts.sum() == 20_000
    assert ((counts - 1000) ** 2 / 1000).sum() < 45
    assert abs(np.corrcoef(radius, angle)[0, 1]) < 0.03


def test_the_prior_is_flat_in_its_box():
    (low, high) = SIMULATOR.bounds["parameters"]
    draws = SIMULATOR.prior(1000, np.random.default_rng(0))
    assert (draws >= low).all()
    assert (draws <= high).all()
    inside, outside = SIMULATOR.prior_log_prob([[0.2, -0.9], [0.2, -1.1]])
    assert inside == pytest.approx(-np.log(4.0))
    assert outside == -np.inf


def test_the_likelihood_integrates_to_one():
    points, area = grid(-0.2, 0.2, 800)
    theta = np.array([0.4, 0.1])
    centre = np.array([0.25 - 0.5 / np.sqrt(2), -0.3 / np.sqrt(2)])
    density = np.exp(SIMULATOR.log_likelihood(theta, centre + points))
    assert density.sum() * area == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("observable", OBSERVABLES)
def test_the_posterior_integrates_to_one_and_its_draws_follow_it(observable):
    points, area = grid(-1.0, 1.0, 1500)
    log_density = SIMULATOR.posterior_log_prob(points, observable)
    density = np.exp(log_density)
    assert density.sum() * area == pytest.approx(1.0, abs=2e-3)

    draws = SIMULATOR.posterior(observable, 20_000, np.random.default_rng(1))
    assert draws.shape == (20_000, 2)
    assert draws.dtype == np.float32
    assert (np.abs(draws) <= 1.0).all()
    of_draws = SIMULATOR.posterior_log_prob(draws, observable)
    entropy = (density * log_density)[density > 0].sum() * area
    assert of_draws.mean() == pytest.approx(entropy, abs=5 * of_draws.std() / np.sqrt(20_000))

    blocks = density.reshape(10, 150, 10, 150).sum(axis=(1, 3)) * area * 20_000
    counts, _, _ = np.histogram2d(*draws.T, bins=10, range=[[-1, 1], [-1, 1]])
    seen = blocks > 20
    assert counts[~seen].sum() <= blocks[~seen].sum() + 60
    chi2 = ((counts - blocks)[seen] ** 2 / blocks[seen]).sum()
    assert chi2 < seen.sum() + 5 * np.sqrt(2 * seen.sum())


def test_posterior_draws_average_to_the_prior():
    data = TwoMoons().sample(400, seed=5)
    rng = np.random.default_rng(6)
    draws = np.concatenate([SIMULATOR.posterior(x, 5, rng) for x in data["observables"]])
    counts, _, _ = np.histogram2d(*draws.T, bins=2, range=[[-1, 1], [-1, 1]])
    assert np.abs(counts - 500).max() < 110


def test_an_impossible_observable_is_refused():
    with pytest.raises(DataError, match="does not produce"):
        SIMULATOR.posterior((3.0, 3.0), 10, np.random.default_rng(0))
    for ask in (SIMULATOR.log_evidence, lambda x: SIMULATOR.posterior_log_prob(np.zeros(2), x)):
        with pytest.raises(DataError, match="does not produce"):
            ask([0.5, 0.5])


@pytest.mark.parametrize(
    "call",
    [
        lambda: SIMULATOR.simulate(np.zeros((4, 3)), np.random.default_rng(0)),
        lambda: SIMULATOR.log_likelihood(np.zeros(2), 0.0),
        lambda: SIMULATOR.posterior(np.zeros((2, 2)), 3, np.random.default_rng(0)),
    ],
)
def test_other_shapes_are_refused(call):
    with pytest.raises(ShapeError, match="got an array of shape"):
        call()
