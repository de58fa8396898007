"""Coupling flows and flow matching against posteriors that are known: correlated normals, and two modes.

theta ~ sum_k w_k N(m_k, S), x | theta ~ N(theta, s^2 I): the posterior is a mixture of the same kind, with covariance
C = (S^-1 + I / s^2)^-1, means C (S^-1 m_k + x / s^2) and weights w_k N(x; m_k, S + s^2 I).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal

import sbicore
from sbicore.solver import SolverOptions

NOISE = 0.6
OBSERVATIONS = 100


class Problem(NamedTuple):
    """Means `(K, D)` and covariance `(D, D)` of the prior, whose components have equal weights."""

    means: np.ndarray
    prior: np.ndarray

    @property
    def size(self):
        return self.means.shape[1]

    @property
    def covariance(self):
        """Of each component of the posterior."""
        return np.linalg.inv(np.linalg.inv(self.prior) + np.eye(self.size) / NOISE**2)

    def simulate(self, rows, seed):
        rng = np.random.default_rng(seed)
        theta = self.means[rng.integers(len(self.means), size=rows)]
        theta = theta + rng.multivariate_normal(np.zeros(self.size), self.prior, size=rows)
        return {"theta": theta, "x": theta + NOISE * rng.normal(size=theta.shape)}

    def components(self, x):
        """Weights `(N, K)` and means `(N, K, D)` of the posteriors of `x (N, D)`."""
        marginal = self.prior + NOISE**2 * np.eye(self.size)
        logs = [multivariate_normal(mean, marginal).logpdf(x) for mean in self.means]
        weights = softmax(np.stack(logs, axis=-1).reshape(len(x), -1), axis=1)
        pulled = np.linalg.solve(self.prior, self.means.T).T[None] + x[:, None] / NOISE**2
        return weights, pulled @ self.covariance

    def moments(self, x):
        """Means `(N, D)` and covariances `(N, D, D)`."""
        weights, means = self.components(x)
        mean = np.einsum("nk,nkd->nd", weights, means)
        apart = means - mean[:, None]
        return mean, self.covariance + np.einsum("nk,nkd,nke->nde", weights, apart, apart)

    def log_prob(self, theta, x):
        """`(N, D), (N, D) -> (N,)`."""
        weights, means = self.components(x)
        normal = multivariate_normal(np.zeros(self.size), self.covariance)
        logs = normal.logpdf((theta[:, None] - means).reshape(-1, self.size)).reshape(weights.shape)
        return logsumexp(logs, b=weights, axis=1)


def correlated(size):
    """Variances from 0.5 to 2, neighbours correlated."""
    scale = np.sqrt(np.linspace(0.5, 2.0, size))
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    return Problem(np.linspace(-1, 1, size)[None], np.outer(scale, scale) * 0.6**lag)


PROBLEMS = {
    "normal in 1": correlated(1),
    "normal in 2": correlated(2),
    "normal in 10": correlated(10),
    "two modes in 1": Problem(np.array([[-1.0], [1.0]]), np.array([[0.04]])),
    "two modes in 2": Problem(np.array([[-1.0, -0.5], [1.0, 0.5]]), 0.04 * np.eye(2)),
}
NETWORKS = {
    **{
        f"{transform}, {permutation}": {"name": "coupling_flow", "transform": transform, "permutation": permutation}
        for transform in ("affine", "spline")
        for permutation in ("random", "swap", "orthogonal", None)
    },
    "flow matching": {"name": "flow_matching"},
    "diffusion": {"name": "diffusion_model"},
    "diffusion, exploding": {
        "name": "diffusion_model",
        "noise_schedule": {"name": "edm", "variance_type": "exploding"},
        "loss_type": "F",
    },
    "diffusion, cosine": {
        "name": "diffusion_model",
        "noise_schedule": "cosine",
        "prediction_type": "velocity",
        "loss_type": "velocity",
    },
}
CONSISTENT = {"consistency": {"name": "consistency_model"}, "stable": {"name": "stable_consistency_model"}}


def errors(model, problem, draws, observations=OBSERVATIONS):
    """Mean errors: of the mean in deviations, of the covariance in products of these, of the log density in nats."""
    test = problem.simulate(observations, 99)
    mean, covariance = problem.moments(test["x"])
    found = model.sample({"x": test["x"]}, draws, seed=3, progress=False)["theta"].astype(float)
    apart = found - found.mean(1, keepdims=True)
    scale = np.sqrt(np.einsum("nii->ni", covariance))
    products = scale[:, :, None] * scale[:, None]
    density = model.log_prob(test, progress=False) - problem.log_prob(test["theta"], test["x"])
    return {
        "mean": float(np.mean(np.abs(found.mean(1) - mean) / scale)),
        "covariance": float(np.mean(np.abs(np.einsum("nsd,nse->nde", apart, apart) / draws - covariance) / products)),
        "log_prob": float(np.mean(np.abs(density))),
    }


def mass(model, problem):
    """The integral of the density on a grid, for one observation, in one or two dimensions.

    Steps are at most half a deviation of a component, where the sum over a normal density is exact.
    """
    observed = problem.simulate(1, 98)["x"]
    mean, covariance = problem.moments(observed)
    scale = np.sqrt(np.diag(covariance[0]))
    count = 401 if problem.size == 1 else 41
    axes = [np.linspace(m - 7 * s, m + 7 * s, count) for m, s in zip(mean[0], scale, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, problem.size)
    density = np.exp(model.log_prob({"theta": grid, "x": observed}, progress=False).astype(float))
    return float(density.sum() * math.prod(axis[1] - axis[0] for axis in axes))


def train(network, problem, rows, seed=1, subnet_kwargs=None, **options):
    network = dict(network)
    arguments = {} if subnet_kwargs is None else {"subnet_kwargs": subnet_kwargs}
    model = sbicore.build(
        network.pop("name"), inference_variables=["theta"], inference_conditions=["x"], **network, **arguments
    )
    model.fit(problem.simulate(rows, 1), seed=seed, progress=False, **options)
    return model


CASES = [
    (network, problem)
    for network in NETWORKS
    for problem, known in PROBLEMS.items()
    if known.size > 1 or not network.endswith(("swap", "orthogonal", "None"))
]
"""One coordinate has nothing to permute."""

SHORT = {
    ("affine, random", "normal in 2"): {"mean": 0.08, "covariance": 0.08, "log_prob": 0.1},
    ("spline, orthogonal", "two modes in 1"): {"mean": 0.12, "covariance": 0.15, "log_prob": 0.2},
    ("flow matching", "two modes in 2"): {"mean": 0.2, "covariance": 0.2, "log_prob": 0.4},
    ("diffusion", "normal in 2"): {"mean": 0.12, "covariance": 0.12, "log_prob": 0.2},
    ("diffusion, cosine", "two modes in 2"): {"mean": 0.2, "covariance": 0.2, "log_prob": 0.4},
}


@pytest.mark.parametrize(("network", "problem"), SHORT)
def test_a_short_fit_is_near_the_known_posterior(network, problem):
    bars, problem, network = SHORT[network, problem], PROBLEMS[problem], NETWORKS[network]
    model = train(
        network | {"depth": 3} if network["name"] == "coupling_flow" else network,
        problem,
        20_000,
        subnet_kwargs={"widths": [64, 64]},
        steps=1_200,
        batch_size=256,
        learning_rate=2e-3,
        compile="never",
    )
    found = errors(model, problem, 1_000, 30)
    assert all(found[name] < bar for name, bar in bars.items()), found
    assert mass(model, problem) == pytest.approx(1, abs=0.01)


def test_draws_of_flow_matching_lead_back_to_their_noise():
    problem = PROBLEMS["two modes in 2"]
    model = train(
        NETWORKS["flow matching"], problem, 20_000, steps=600, batch_size=256, subnet_kwargs={"widths": [64, 64]}
    )
    network, condition = model.network, model.observe({"x": problem.simulate(5, 9)["x"]}).unsqueeze(1)
    solver = SolverOptions(method="dopri5", rtol=1e-6, atol=1e-6)

    def field(t, x, rows):
        return network.velocity(x, t, condition if rows is None else condition[rows], 1.0, None)

    noise = torch.randn((5, 200, 2), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        draws = solver.integrate(field, noise, 1.0, 0.0).state
        back = solver.integrate(field, draws, 0.0, 1.0).state
    assert float((back - noise).abs().max()) < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(("network", "problem"), CASES)
def test_a_fit_reaches_the_known_posterior(network, problem):
    """Some minutes each, on more rows than are seen twice.

    The affine flow has no room for two modes in one dimension, where it is a line.
    """
    name, problem = problem, PROBLEMS[problem]
    steps = 10_000 if problem.size == 10 else 6_000
    model = train(NETWORKS[network], problem, 200 * steps, steps=steps, batch_size=256, learning_rate=1e-3)
    found = errors(model, problem, 10_000)
    total = mass(model, problem) if problem.size < 3 else 1.0
    print({"network": network, "problem": name, **found, "mass": total})
    assert total == pytest.approx(1, abs=0.01)
    if not (network.startswith("affine") and name == "two modes in 1"):
        assert found["mean"] < 0.05 and found["covariance"] < 0.05 and found["log_prob"] < 0.1, found


@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("network", CONSISTENT)
def test_few_evaluations_reach_the_known_posterior(network, problem):
    """Means within 0.1 deviations; from two evaluations, deviations within 10 %."""
    name, problem = problem, PROBLEMS[problem]
    model = train(CONSISTENT[network], problem, 100_000, steps=8_000, batch_size=256, learning_rate=1e-3)
    test = problem.simulate(OBSERVATIONS, 99)
    mean, covariance = problem.moments(test["x"])
    scale = np.sqrt(np.einsum("nii->ni", covariance))
    found = {}
    for steps in (1, 2, 8):
        draws = model.sample({"x": test["x"]}, 2_000, steps=steps, seed=3, progress=False)["theta"]
        found[steps] = (
            float(np.mean(np.abs(draws.mean(1) - mean) / scale)),
            float(np.mean(draws.std(1) / scale)),
        )
    print({"network": network, "problem": name, **found})
    for steps, (mean_error, width) in found.items():
        assert mean_error < 0.1, found
        assert steps == 1 or abs(width - 1) < 0.1, found
