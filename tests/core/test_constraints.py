"""Draws under constraints, against truncated normal distributions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.constraints import constrained
from sbicore.errors import ConfigError, SamplingError, SamplingWarning
from sbicore.integrators import Dopri5

pytest.importorskip("sbicore_flow_matching")

MEAN = torch.tensor([0.3, -0.2], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.3, 0.12], [0.12, 0.15]], dtype=torch.float64)
NORMAL = torch.distributions.MultivariateNormal(MEAN, COVARIANCE)
DRAWS = 8_000


def exact_field(t, x, rows):
    t = t.reshape(-1, 1, 1)
    a = 1 - t
    spread = a.square() * COVARIANCE + t.square() * torch.eye(2, dtype=x.dtype)
    apart = torch.linalg.solve(spread.expand(len(x), 2, 2), (x - a * MEAN).mT).mT
    return t * apart - (MEAN + a * (apart @ COVARIANCE))


def draws(constraints, guide="probability", strength=1.0):
    noise = torch.randn((1, DRAWS, 2), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    field = constrained(exact_field, constraints, guide, strength)
    return Dopri5().integrate(field, noise, 1.0, 0.0, rtol=1e-4, atol=1e-4).state[0]


def truth(*constraints):
    torch.manual_seed(2)
    values = NORMAL.sample((400_000,))
    return values[torch.stack([constraint(values) <= 0 for constraint in constraints]).all(0)]


def half_plane(limit):
    return lambda x: x.sum(-1) - limit


@pytest.mark.parametrize("limit", [0.8, 0.0, -1.0])
def test_a_half_plane_of_a_normal_posterior(limit):
    """It holds 80, 45 and 9 % of it. 8,000 draws: five standard errors of a mean are 0.056 deviations, of one 4 %."""
    constraint = half_plane(limit)
    found, expected = draws([constraint]), truth(constraint)
    assert (constraint(found) <= 1e-6).double().mean() > 0.99
    np.testing.assert_allclose((found.mean(0) - expected.mean(0)) / expected.std(0), 0, atol=0.05)
    np.testing.assert_allclose(found.std(0) / expected.std(0), 1, atol=0.05)


def test_half_of_a_standard_normal_has_its_known_mean():
    """-0.798 for a half-line, which the usual guide misses."""
    edge = [lambda x: (x[..., 0] - MEAN[0]) / COVARIANCE[0, 0].sqrt()]
    standard = [(found[:, 0] - MEAN[0]) / COVARIANCE[0, 0].sqrt() for found in (draws(edge), draws(edge, "softplus"))]
    assert abs(float(standard[0].mean()) + (2 / np.pi) ** 0.5) < 0.03
    assert abs(float(standard[1].mean()) + (2 / np.pi) ** 0.5) > 0.02


def test_two_constraints_make_a_strip():
    """Their probabilities multiply, which for parallel edges is an approximation."""
    both = [half_plane(0.5), lambda x: -x.sum(-1) - 0.3]
    found, expected = draws(both), truth(*both)
    assert ((found.sum(-1) < 0.51) & (found.sum(-1) > -0.31)).double().mean() > 0.99
    np.testing.assert_allclose((found.mean(0) - expected.mean(0)) / expected.std(0), 0, atol=0.15)


def test_no_strength_is_no_constraint():
    torch.testing.assert_close(draws([half_plane(-1.0)], strength=0.0).mean(0), MEAN, atol=0.04, rtol=0)


@pytest.fixture(scope="module")
def trained():
    """The posterior of log(scale) given x is normal."""
    rng = np.random.default_rng(1)
    theta = rng.normal(size=(20_000, 2))
    model = sbicore.build(
        "flow_matching",
        drop_target_prob=0.2,
        subnet_kwargs={"widths": [64, 64, 64]},
        adapter=sbicore.Adapter().log("scale"),
        inference_variables=["scale"],
        inference_conditions=["x"],
    )
    data = {"scale": np.exp(theta), "x": theta + 0.6 * rng.normal(size=theta.shape)}
    model.fit(data, steps=2_500, batch_size=256, learning_rate=2e-3, compile="never", seed=1, progress=False)
    return model


def below_one(parameters):
    """In the user's parameters."""
    return parameters["scale"][:, 0] - 1.0


X = np.array([[0.5, 0.2], [-0.5, 1.0], [0.2, -1.0]])


def exact(x):
    """Mean and deviation of log(scale[0]) below 0."""
    values = np.random.default_rng(1).normal(x / 1.36, 0.6 / 1.36**0.5, size=400_000)
    return values[values < 0].mean(), values[values < 0].std()


@pytest.mark.parametrize("method", [None, "rk4", "euler_maruyama", "dpm_solver_2m"])
def test_a_trained_network_keeps_a_constraint_in_the_users_parameters(trained, method):
    """Limits of the network's own errors in the tail of the posterior, which is what is left of it."""
    options = {} if method is None else {"method": method, "steps": 20 if method == "rk4" else 100}
    options["constraint_guide"] = "probability"
    options |= {"seed": 1, "progress": False, "report": True}
    found, report = trained.sample({"x": X}, 2_000, constraints=below_one, **options)
    found = found["scale"]
    assert report.acceptance > 0.985
    assert (found[..., 0] <= 1).all()
    for row, x in zip(np.log(found[..., 0]), X[:, 0], strict=True):
        mean, deviation = exact(x)
        assert abs(row.mean() - mean) < 0.25 * deviation
        assert abs(row.std() / deviation - 1) < 0.15


@pytest.mark.parametrize("guide", ["auto", "probability"])
def test_constraints_go_with_fixed_targets(trained, guide):
    fixed = {"scale": np.array([np.nan, 2.0])}
    options = {"fixed": fixed, "constraints": [below_one], "constraint_guide": guide, "seed": 1, "progress": False}
    found = trained.sample({"x": X}, 200, **options)["scale"]
    assert (found[..., 1] == 2.0).all()
    assert (found[..., 0] <= 1 + 1e-4).mean() > 0.98


BAD = {
    "one number a row": (lambda parameters: parameters["scale"], ConfigError),
    "got float": (lambda parameters: 1.0, ConfigError),
    "no gradient": (lambda parameters: parameters["scale"].detach()[:, 0], ConfigError),
    "is NaN": (lambda parameters: parameters["scale"][:, 0] * torch.nan, SamplingError),
    "fails: KeyError": (lambda parameters: parameters["scal"][:, 0], ConfigError),
    "take functions": (3, ConfigError),
    "gave True and False": (lambda parameters: parameters["scale"][:, 0] < 1.0, ConfigError),
}


@pytest.mark.parametrize("sentence", BAD)
def test_bad_constraints(trained, sentence):
    constraints, error = BAD[sentence]
    with pytest.raises(error, match=sentence):
        trained.sample({"x": X}, 5, constraints=constraints, constraint_guide="probability", progress=False)


def test_broken_constraints_are_told(trained):
    with pytest.warns(SamplingWarning, match="led break a constraint"):
        trained.sample({"x": X}, 200, constraints=below_one, constraint_strength=0.0, seed=1, progress=False)


def test_where_enough_holds_draws_are_the_unconstrained_ones_that_hold(trained):
    """4,000 draws against those of 40,000: five standard errors of a mean are 0.09 deviations, of a deviation 6 %."""
    plain = trained.sample({"x": X}, 40_000, seed=2, progress=False)["scale"]
    options = {"constraints": lambda p: below_one(p).detach(), "seed": 1, "progress": False, "report": True}
    found, report = trained.sample({"x": X}, 4_000, **options)
    assert (found["scale"] <= [1.0, np.inf]).all()
    shares = (plain[..., 0] <= 1).mean(1)
    assert abs(report.acceptance - 3 / np.sum(1 / shares)) < 0.03
    for mine, rest in zip(np.log(found["scale"]), np.log(plain), strict=True):
        kept = rest[rest[:, 0] <= 0]
        np.testing.assert_allclose((mine.mean(0) - kept.mean(0)) / kept.std(0), 0, atol=0.09)
        np.testing.assert_allclose(mine.std(0) / kept.std(0), 1, atol=0.06)


@pytest.mark.filterwarnings("ignore:.*of the draws that were led break")
def test_each_observation_is_led_or_not_whatever_the_others_are(trained):
    far = np.array([[2.0, 0.0]])  # 0.2 % of it hold
    options = {"constraints": below_one, "seed": 1, "progress": False, "as_tensor": True}
    with pytest.warns(SamplingWarning, match=r"In 1 of 3 observations less than 5% .* in observation 1 0\.\d%"):
        found = trained.sample({"x": np.concatenate([X[:1], far, X[1:2]])}, 50, **options)["scale"]
    assert (found[..., 0] <= 1).all()
    alone = trained.sample({"x": X[[0, 0, 1]]}, 50, **options)["scale"]
    torch.testing.assert_close(found[[0, 2]], alone[[0, 2]])


def nowhere(parameters):
    return parameters["scale"][:, 0] * 0 + 1.0


def above_two(parameters):
    return 2.0 - parameters["scale"][:, 0]


@pytest.mark.filterwarnings("ignore:In 3 of 3 observations")
def test_constraints_that_nothing_keeps(trained):
    options = {"seed": 1, "progress": False}
    for constraints in (nowhere, [below_one, above_two]):
        with pytest.raises(SamplingError, match="at most 0 where it holds"):
            trained.sample({"x": X}, 200, constraints=constraints, constraint_guide="rejection", **options)
    with pytest.raises(SamplingError, match="could not be led"):
        trained.sample({"x": X}, 20, constraints=nowhere, **options)
    with pytest.raises(SamplingError, match="keeps all of them"):
        trained.sample({"x": X}, 200, constraints=[below_one, above_two], method="rk4", steps=5, **options)


def test_other_networks_make_draws_again():
    pytest.importorskip("sbicore_coupling_flow")
    model = sbicore.build("coupling_flow", depth=1, inference_variables=["theta"])
    model.fit({"theta": np.random.default_rng(1).normal(size=(300, 2))}, epochs=1, progress=False)
    found = model.sample(num_samples=50, constraints=lambda p: p["theta"][:, 0], seed=1, progress=False)["theta"]
    assert found.shape == (50, 2) and (found[:, 0] <= 0).all()
    with pytest.raises(SamplingError, match="diffusion_model"):
        model.sample(num_samples=5, constraints=lambda p: p["theta"][:, 0] + 100.0, seed=1, progress=False)
