"""The problems' references belong to their simulators."""

import numpy as np
import pytest
from sbicore_benchmarks._problems import MATRIX, NOISE, PROBLEMS


@pytest.mark.parametrize("name", PROBLEMS)
def test_references_have_the_shapes_of_the_simulations(name, wheel):
    simulate, references = PROBLEMS[name]
    data = simulate(50, 1)
    for observable, draws in references():
        assert observable.shape == data["observables"].shape[1:]
        assert draws.shape == (10_000, *data["parameters"].shape[1:])
        assert draws.dtype == observable.dtype == data["parameters"].dtype == np.float32


def test_linear_gaussian_references_are_the_conjugate_posterior():
    """At the posterior mean the gradient of the log posterior vanishes; its curvature is the precision."""
    precision = np.eye(5) + MATRIX.T @ MATRIX / NOISE**2
    for observable, draws in PROBLEMS["linear_gaussian"].references():
        mean = draws.mean(axis=0)
        gradient = -mean + MATRIX.T @ (observable - MATRIX @ mean) / NOISE**2
        assert np.abs(np.linalg.solve(precision, gradient)).max() < 0.05
        assert np.cov(draws.T) == pytest.approx(np.linalg.inv(precision), abs=0.05)
