"""The contrastive loss, ratios and draws that are known, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

import sbicore
from sbicore.approximators._ratio_network import RatioNetwork, contrastive_loss, imbalance
from sbicore.randomness import generator_for
from sbicore.shapes import Shapes

NOISE = 0.5
VARIANCE = 1 / (1 + 1 / NOISE**2)
MEAN, UNIT = 1.0, 3.0
PRIOR = Independent(Normal(torch.full((2,), MEAN), torch.full((2,), UNIT)), 1)
FIT = {"progress": False, "compile": "never", "seed": 1}
X = np.array([[1.0, -0.5], [-0.3, 0.2]])


def simulate(rows, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(size=(rows, 2))
    return {"theta": MEAN + UNIT * z, "x": z + NOISE * rng.normal(size=(rows, 2))}


def exact(theta, x):
    """log N(z; VARIANCE x / NOISE^2, VARIANCE) - log N(z; 0, 1) of z, whatever the units of theta."""
    z = (theta - MEAN) / UNIT
    squares = (z - VARIANCE / NOISE**2 * x) ** 2 / VARIANCE
    return 0.5 * (z**2 - squares - math.log(VARIANCE)).sum(-1)


def build(**arguments):
    arguments = {"subnet_kwargs": {"widths": [32]}, **arguments}
    return sbicore.RatioApproximator(inference_variables=["theta"], inference_conditions=["x"], **arguments)


@pytest.fixture(scope="module")
def gaussian():
    model = build(subnet_kwargs={"widths": [64, 64]})
    model.fit(simulate(20_000, 1), epochs=15, batch_size=256, learning_rate=3e-3, **FIT)
    return model


def test_the_loss_is_that_of_the_paper_term_by_term():
    """Equation 7, by a loop over rows and alternatives."""
    rng = np.random.default_rng(0)
    h = rng.normal(size=(4, 4))  # the row's own parameters, and K = 3 others
    for gamma in (0.3, 1.0, 7.0):
        for row, found in zip(h, contrastive_loss(torch.from_numpy(h), gamma).tolist(), strict=True):
            joint, marginal = 3.0, 3.0
            for k in range(3):
                joint += gamma * math.exp(row[k])
                marginal += gamma * math.exp(row[1 + k])
            belongs, none = gamma * math.exp(row[0]) / joint, 3 / marginal
            expected = -math.log(none) / (1 + gamma) - gamma * math.log(belongs) / (1 + gamma)
            assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("balanced", [False, True])
def test_each_row_is_compared_with_k_other_rows(balanced):
    """The loss of a module, from `h` of every row with every row's parameters."""
    torch.manual_seed(1)
    config = RatioNetwork(K=3, gamma=2.0, balanced=balanced, subnet_kwargs={"widths": [8]})
    network = config.build(Shapes(target=(2,), conditions=(3,)))
    torch.nn.init.normal_(network.backbone.head.weight)
    theta, x = torch.randn(7, 2), torch.randn(7, 3)
    found = network.loss(theta, x, generator=generator_for(1))
    distances = (torch.rand(6, generator=generator_for(1)).argsort()[:3] + 1).tolist()
    assert len(set(distances)) == 3 and 0 not in distances
    rows, network = [], network.requires_grad_(False)
    for i in range(7):
        others = [(i + distance) % 7 for distance in distances]
        assert i not in others and len(set(others)) == 3
        rows.append([float(network.log_ratio(theta[j], x[i])) for j in (i, *others)])
    logits = torch.tensor(rows)
    d = 1 / (1 + np.exp(-logits.numpy()))
    penalty = 100 * (d[:, 0].mean() + d[:, 1:].mean() - 1) ** 2 if balanced else 0
    np.testing.assert_allclose(found.detach(), contrastive_loss(logits, 2.0) + penalty, rtol=1e-5)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 10.0])
def test_the_exact_ratio_has_the_least_loss(gamma):
    """Also against a shift, which the loss of NRE-B cannot tell."""
    data = simulate(40_000, 3)
    shifted = [np.roll(data["theta"], k, axis=0) for k in range(4)]
    h = torch.from_numpy(np.stack([exact(theta, data["x"]) for theta in shifted], axis=1))
    best = contrastive_loss(h, gamma)
    wave = torch.from_numpy(np.stack([np.sin(theta).sum(1) for theta in shifted], axis=1))
    for change in (torch.ones_like(h), wave, h):
        for step in (-0.3, 0.3):
            worse = contrastive_loss(h + step * change, gamma) - best
            assert worse.mean() > 4 * worse.std() / math.sqrt(len(worse))


def test_the_exact_ratio_is_balanced():
    """E_joint[d] + E_marginal[d] = 1, within four standard errors; not so if it is sharper."""
    data = simulate(100_000, 4)
    own, other = (exact(theta, data["x"]) for theta in (data["theta"], np.roll(data["theta"], 1, axis=0)))
    h = torch.from_numpy(np.stack([own, other], axis=1))
    margin = 4 * float(h.sigmoid().sum(1).std()) / math.sqrt(len(h))
    assert abs(float(imbalance(h))) < margin < 0.01
    assert abs(float(imbalance(h + 0.2))) > margin


def test_a_balanced_fit_of_few_rows_is_nearer_to_balance_on_others():
    """300 rows are learnt by heart: over five seeds, imbalances are 0.03 to 0.05 without it, and below 0.02."""
    data, found = simulate(4_000, 2), {}
    for balanced in (False, True):
        model = build(balanced=balanced)
        model.fit(simulate(300, 13), epochs=150, batch_size=100, learning_rate=3e-3, **{**FIT, "seed": 3})
        apart = {"theta": np.roll(data["theta"], 1, axis=0), "x": data["x"]}
        h = torch.from_numpy(np.stack([model.log_ratio(rows, progress=False) for rows in (data, apart)], axis=1))
        found[balanced] = abs(float(imbalance(h))), float(h.sigmoid().sum(1).std()) / math.sqrt(len(h))
    (plain, error), (balanced, other) = found[False], found[True]
    assert plain - balanced > 4 * math.hypot(error, other)


def test_ratios_of_a_conjugate_gaussian(gaussian):
    """Over four seeds such fits err by 0.08 to 0.1 nats on average; the bars are seven of their deviations above."""
    data = simulate(4_000, 2)
    error = gaussian.log_ratio(data, progress=False) - exact(data["theta"], data["x"])
    assert np.abs(error).mean() < 0.15
    assert np.abs(exact(data["theta"], data["x"])).mean() > 1
    apart = {"theta": np.roll(data["theta"], 1, axis=0), "x": data["x"]}
    truth = exact(apart["theta"], apart["x"])
    near = truth > -4
    assert np.abs(gaussian.log_ratio(apart, progress=False) - truth)[near].mean() < 0.15


@pytest.mark.parametrize(
    "arguments",
    [{}, {"prior": PRIOR, "method": "importance", "candidates": 20_000}, {"prior": PRIOR, "warmup": 40}],
)
def test_draws_of_a_conjugate_gaussian(gaussian, arguments):
    """Draws worth 500 have standard errors of 0.045 deviations (mean) and 0.032 (deviation): margins are three."""
    if "warmup" in arguments:
        pytest.importorskip("emcee")
    draws, report = gaussian.sample({"x": X}, 1_000, seed=1, report=True, progress=False, **arguments)
    assert draws["theta"].shape == (2, 1_000, 2) and draws["theta"].dtype == np.float32
    deviation = UNIT * math.sqrt(VARIANCE)
    assert np.abs(draws["theta"].mean(1) - MEAN - UNIT * VARIANCE / NOISE**2 * X).max() < 0.15 * deviation
    np.testing.assert_allclose(draws["theta"].std(1), deviation, rtol=0.1)
    assert len(report.effective_sample_size) == 2 and min(report.effective_sample_size) > 500
    alone = gaussian.sample({"x": X[1]}, 1_000, seed=1, progress=False, **arguments)
    again = gaussian.sample({"x": X}, 1_000, seed=1, progress=False, **arguments)
    np.testing.assert_array_equal(again["theta"], draws["theta"])
    assert alone["theta"].shape == (1, 1_000, 2)
