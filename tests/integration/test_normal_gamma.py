"""Unknown mean and precision: one network for sets of 5 to 500 numbers, against the exact posterior.

    tau ~ Gamma(3, rate 3), mu ~ N(0, 1 / tau), x_i ~ N(mu, 1 / tau)

The posterior given n numbers is Normal-Gamma with kappa = 1 + n, a = 3 + n / 2,
b = 3 + S / 2 + n mean^2 / (2 kappa), S the sum of squares around their mean: mu is a Student t of 2a degrees of freedom
around kappa^-1 n mean with scale sqrt(b / (a kappa)), and log tau has mean psi(a) - log b and variance psi'(a).
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

import sbicore

SIZES = [5, 7, 10, 14, 20, 28, 40, 56, 80, 110, 160, 225, 320, 500]
UNSEEN = [6, 33, 100, 400]
BATCH = 64


def sets(n, size, seed):
    rng = np.random.default_rng(seed)
    tau = rng.gamma(3.0, 1 / 3.0, size=n)
    mu = rng.normal(size=n) / np.sqrt(tau)
    x = mu[:, None, None] + rng.normal(size=(n, size, 1)) / np.sqrt(tau)[:, None, None]
    return {"mu": mu, "log_tau": np.log(tau), "x": x}


def exact(x):
    """Means and deviations of `mu` and `log_tau`, `(O,)` each."""
    n, mean, spread = x.shape[1], x.mean((1, 2)), ((x - x.mean(1, keepdims=True)) ** 2).sum((1, 2))
    kappa, a = 1 + n, 3 + n / 2
    b = 3 + spread / 2 + n * mean**2 / (2 * kappa)
    deviation = np.sqrt(b / (a * kappa) * a / (a - 1))
    return {
        "mu": (n * mean / kappa, deviation),
        "log_tau": (special.digamma(a) - np.log(b), np.full(len(x), np.sqrt(special.polygamma(1, a)))),
    }


class Sets:
    """Batches of sets of one size each, so that nothing is padded."""

    def __init__(self, batches):
        self.sizes = np.random.default_rng(0).permutation(np.resize(SIZES, batches))

    def __iter__(self):
        return (sets(BATCH, size, (1, i)) for i, size in enumerate(self.sizes))


def test_the_formulas_by_quadrature():
    x = sets(1, 7, 3)["x"]
    mu, log_tau = np.meshgrid(np.linspace(-6, 6, 1_201), np.linspace(-5, 4, 1_001), indexing="ij")
    tau = np.exp(log_tau)
    squares = mu**2 + sum((value - mu) ** 2 for value in x[0, :, 0])
    log_p = (3 + 7 / 2 + 0.5) * log_tau - tau * (3 + squares / 2)
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    for name, grid in (("mu", mu), ("log_tau", log_tau)):
        mean = (p * grid).sum()
        found = exact(x)[name]
        np.testing.assert_allclose(mean, found[0][0], atol=1e-3)
        np.testing.assert_allclose(np.sqrt((p * (grid - mean) ** 2).sum()), found[1][0], rtol=1e-3)


@pytest.mark.slow
def test_sets_of_5_to_500_in_one_network():
    model = sbicore.build(
        "coupling_flow",
        summary_network="deep_set",
        missing="mask",
        inference_variables=["mu", "log_tau"],
        summary_variables=["x"],
    )
    model.fit(Sets(6_000), epochs=1, batch_size=BATCH, learning_rate=1e-3, compile="never", progress=False, seed=1)
    for size in UNSEEN:
        x = sets(200, size, 2)["x"]
        draws = model.sample({"x": x}, 1_000, seed=1, progress=False)
        for name, (mean, sd) in exact(x).items():
            error = np.abs(draws[name].mean(1) - mean) / sd
            width = np.log(draws[name].std(1) / sd).mean()
            print(f"{size:4d} {name:8s} mean error {error.mean():.3f} sd, deviation {np.exp(width):.3f}")
            assert error.mean() < 0.2
            assert abs(width) < 0.1
