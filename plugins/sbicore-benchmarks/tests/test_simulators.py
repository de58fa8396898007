"""What holds for every benchmark simulator: shapes, seeds, metadata, and errors for wrong input."""

import numpy as np
import pytest
import sbicore_benchmarks
import torch
from scipy import stats

import sbicore
from sbicore.errors import ConfigError, ShapeError, SimulatorError

CONFIGS = [getattr(sbicore_benchmarks, name)() for name in sbicore_benchmarks.__all__]
SIZES = {
    "bernoulli_glm": (10, 10),
    "bernoulli_glm_raw": (10, 100),
    "gaussian_linear": (10, 10),
    "gaussian_linear_uniform": (10, 10),
    "gaussian_mixture": (2, 2),
    "inverse_kinematics": (4, 2),
    "lotka_volterra": (4, 20),
    "sir": (2, 10),
    "slcp": (5, 8),
    "slcp_distractors": (5, 100),
    "two_moons": (2, 2),
}
every = pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.name)


@every
def test_sample_has_the_shapes_and_is_reproducible(config):
    parameters, observables = SIZES[config.name]
    data = config.sample(100, seed=1)
    assert {name: (value.shape, value.dtype) for name, value in data.items()} == {
        "parameters": ((100, parameters), np.float32),
        "observables": ((100, observables), np.float32),
    }
    assert np.isfinite(data["observables"]).all()
    again, other = config.sample(100, seed=1), config.sample(100, seed=2)
    assert all(np.array_equal(data[name], again[name]) for name in data)
    assert not np.array_equal(data["parameters"], other["parameters"])


@every
def test_without_a_seed_torch_decides(config):
    torch.manual_seed(3)
    first, second = config.sample(5), config.sample(5)
    torch.manual_seed(3)
    assert np.array_equal(first["parameters"], config.sample(5)["parameters"])
    assert not np.array_equal(first["parameters"], second["parameters"])


@every
def test_metadata_describe_the_variables(config):
    simulator = config.build()
    assert simulator.name == config.name
    names = (simulator.parameter_names, simulator.observable_names)
    assert tuple(map(len, names)) == SIZES[config.name]
    assert all(len(set(group)) == len(group) for group in names)
    draws = simulator.prior(1000, np.random.default_rng(0))
    low, high = simulator.bounds.get("parameters", (None, None))
    assert low is None or (draws >= low).all()
    assert high is None or (draws <= high).all()
    assert np.isfinite(simulator.prior_log_prob(draws)).all()
    if low is not None:
        assert simulator.prior_log_prob(np.array(low) - 0.1) == -np.inf


@every
def test_any_leading_axes_will_do(config):
    simulator, rng = config.build(), np.random.default_rng(0)
    parameters = simulator.prior(6, rng)
    features = SIZES[config.name][1]
    assert simulator.simulate(parameters[0], rng).shape == (features,)
    assert simulator.simulate(parameters.reshape(2, 3, -1), rng).shape == (2, 3, features)
    assert simulator.prior_log_prob(parameters.reshape(2, 3, -1)).shape == (2, 3)
    if hasattr(simulator, "log_likelihood"):
        x = simulator.simulate(parameters, rng)
        each = simulator.log_likelihood(parameters, x)
        assert np.isfinite(each).all()
        assert np.allclose(simulator.log_likelihood(parameters[:, None], x).diagonal(), each, rtol=1e-4)


@every
def test_wrong_input_is_refused(config):
    simulator, rng = config.build(), np.random.default_rng(0)
    parameters, observables = SIZES[config.name]
    with pytest.raises(ShapeError, match=rf"'parameters' of {config.name} has {parameters} features, got .*\(4, 7\)"):
        simulator.simulate(np.zeros((4, 7)), rng)
    with pytest.raises(ShapeError, match=r"got an array of shape \(\)"):
        simulator.prior_log_prob(0.0)
    for n in (0, -1, 2.5, True):
        with pytest.raises(ConfigError, match="n must be a whole number >= 1"):
            config.sample(n)
    with pytest.raises(ConfigError, match="seed must be"):
        config.sample(5, seed=-1)
    if hasattr(simulator, "posterior"):
        with pytest.raises(ShapeError, match="for one observable of shape"):
            simulator.posterior(np.zeros((2, observables)), 3, rng)


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("GaussianLinear", stats.multivariate_normal(np.zeros(10), 0.1)),
        ("GaussianLinearUniform", stats.uniform(-1.0, 2.0)),
        ("GaussianMixture", stats.uniform(-10.0, 20.0)),
        ("SLCP", stats.uniform(-3.0, 6.0)),
        ("SIR", stats.lognorm([0.5, 0.2], scale=[0.4, 0.125])),
        ("LotkaVolterra", stats.lognorm(0.5, scale=np.exp([-0.125, -3.0, -0.125, -3.0]))),
        ("InverseKinematics", stats.multivariate_normal(np.zeros(4), np.diag([0.25, 0.5, 0.5, 0.5]) ** 2)),
    ],
)
def test_priors_are_those_of_scipy(name, law):
    simulator = getattr(sbicore_benchmarks, name)().build()
    draws = simulator.prior(50, np.random.default_rng(0)).astype(float)
    expected = law.logpdf(draws)
    assert np.allclose(simulator.prior_log_prob(draws), expected.sum(axis=1) if expected.ndim == 2 else expected)


def test_a_simulator_goes_by_its_name():
    rows = sbicore.make_simulator("two_moons").sample(3, seed=1)
    assert {name: value.shape for name, value in rows.items()} == {"parameters": (3, 2), "observables": (3, 2)}
    flow = sbicore.BasicWorkflow("two_moons", inference_variables=["parameters"], inference_conditions=["observables"])
    assert flow.simulate(2, seed=1)["observables"].shape == (2, 2)
    with pytest.raises(SimulatorError, match="did you mean 'two_moons'"):
        sbicore.BasicWorkflow("two_moon", inference_variables=["parameters"])
