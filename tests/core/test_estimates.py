"""Estimates in the user's space: affine and monotone maps, bounds, several variables, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore import Adapter
from sbicore.errors import ConfigError, NotBuiltError

FIT = {"epochs": 8, "batch_size": 128, "learning_rate": 8e-3, "compile": "never", "progress": False, "seed": 1}
ROLES = {"inference_variables": ["theta"], "inference_conditions": ["x"]}
SUBNET = {"subnet": {"name": "mlp", "widths": [32]}}
Q = [0.1, 0.5, 0.9]
NORMAL_Q = np.array([-1.2815516, 0.0, 1.2815516])


def gaussian(n=10_000, seed=0):
    """theta ~ N(3, 4), x = theta + noise of sd 1: the posterior is normal with variance 0.8."""
    rng = np.random.default_rng(seed)
    theta = 3 + 2 * rng.normal(size=(n, 1))
    return {"theta": theta, "x": theta + rng.normal(size=(n, 1))}


X = np.linspace(-1, 7, 21)[:, None]
MEAN = (3 / 4 + X) * 0.8
SD = np.sqrt(0.8)


def fitted(network="scoring_rule_network", data=None, **arguments):
    model = sbicore.build(network, **{**SUBNET, **ROLES, **arguments})
    model.fit(gaussian() if data is None else data, **FIT)
    return model


@pytest.fixture(scope="module")
def model():
    return fitted(mean="mean", median="median", q={"name": "quantile", "q": Q}, normal="mv_normal")


def test_every_statistic_is_that_of_the_posterior(model):
    found = model.estimate({"x": X})
    assert np.abs(found["mean"]["mean"] - MEAN).mean() < 0.1 * SD
    assert np.abs(found["median"]["median"] - MEAN).mean() < 0.1 * SD
    expected = MEAN[:, None] + SD * NORMAL_Q[None, :, None]
    assert found["q"]["quantiles"].shape == (21, 3, 1)
    assert np.abs(found["q"]["quantiles"] - expected).mean() < 0.1 * SD
    assert np.abs(found["normal"]["loc"] - MEAN).mean() < 0.1 * SD
    assert np.abs(found["normal"]["covariance"][:, 0, 0] / SD**2 - 1).mean() < 0.1
    np.testing.assert_allclose(
        found["normal"]["scale"][:, 0, 0] ** 2, found["normal"]["covariance"][:, 0, 0], rtol=1e-5
    )


def test_draws_and_densities_of_parametric_rules(model):
    draws = model.sample({"x": X}, 2_000, seed=1, progress=False)["theta"]
    assert np.abs(draws.mean(1) - MEAN).mean() < 0.12 * SD
    values = model.log_prob({"theta": MEAN, "x": X}, progress=False)
    assert np.abs(values + np.log(SD * np.sqrt(2 * np.pi))).mean() < 0.1


def test_one_observation_and_single_rules(model):
    alone = model.estimate({"x": X[3]}, rules="mean")
    assert list(alone) == ["mean"] and alone["mean"]["mean"].shape == (1, 1)
    np.testing.assert_allclose(
        alone["mean"]["mean"], model.estimate({"x": X}, chunk_size=4)["mean"]["mean"][3:4], rtol=1e-5
    )
    with pytest.raises(ConfigError, match="no rule 'means'; did you mean 'mean'"):
        model.estimate({"x": X}, rules="means")


def test_saved_and_loaded(model, tmp_path):
    model.save(tmp_path / "m.sbi")
    again = sbicore.load(tmp_path / "m.sbi")
    assert type(again) is type(model)
    np.testing.assert_array_equal(
        again.estimate({"x": X})["q"]["quantiles"], model.estimate({"x": X})["q"]["quantiles"]
    )


def test_quantiles_pass_through_monotone_maps_in_order():
    data = gaussian()
    data = {"theta": np.exp(data["theta"]), "x": data["x"]}
    adapter = Adapter().log("theta").scale("theta", by=-2.0)
    found = fitted(data=data, adapter=adapter, q={"name": "quantile", "q": Q}, median="median").estimate({"x": X})
    logs = np.log(found["q"]["quantiles"])
    assert np.abs(logs - (MEAN[:, None] + SD * NORMAL_Q[None, :, None])).mean() < 0.1 * SD
    assert np.abs(np.log(found["median"]["median"]) - MEAN).mean() < 0.1 * SD


def test_affine_maps_carry_means_and_covariances():
    data = gaussian()
    b = -data["theta"][:, 0] * 3 + 5 + np.random.default_rng(5).normal(size=len(data["x"]))
    data = {"a": data["theta"][:, 0], "b": b, "x": data["x"]}
    adapter = Adapter().scale("b", by=-0.5).shift("b", by=7).concatenate(["b", "a"], into="inference_variables")
    found = fitted(data=data, adapter=adapter, mean="mean", normal="mv_normal", inference_variables=None).estimate(
        {"x": X}
    )
    assert np.abs(found["mean"]["mean"]["a"] - MEAN[:, 0]).mean() < 0.1 * SD
    assert np.abs(found["mean"]["mean"]["b"] - (5 - 3 * MEAN[:, 0])).mean() < 0.3 * SD
    covariance = found["normal"]["covariance"]["joint"].mean(0)
    names = list(found["mean"]["mean"])
    a, b = names.index("a"), names.index("b")
    np.testing.assert_allclose(covariance[[a, b, a], [a, b, b]], [0.8, 8.2, -2.4], rtol=0.12)


def test_bounds_transform_what_can_be_and_enclose_the_rest():
    rng = np.random.default_rng(0)
    theta = rng.uniform(size=(10_000, 1))
    data = {"theta": theta, "x": theta + 0.2 * rng.normal(size=theta.shape)}
    x = np.array([[-0.5], [0.5], [1.6]])
    both = fitted(data=data, bounds={"theta": (0, 1)}, mean="mean", q="quantile").estimate({"x": x})
    for value in (both["mean"]["mean"], both["q"]["quantiles"]):
        assert value.min() >= 0 and value.max() <= 1
    assert abs(both["mean"]["mean"][1, 0] - 0.5) < 0.03
    drawn = fitted(data=data, bounds={"theta": (0, 1)}, normal="mv_normal")
    assert drawn.sample({"x": x}, 100, seed=1, progress=False)["theta"].min() >= 0
    with pytest.raises(ConfigError, match="'loc' of the rule 'normal' of 'theta' cannot be told"):
        drawn.estimate({"x": x})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": "mean", "adapter": Adapter().log("theta")}, "mean of 'theta' cannot be told"),
        (
            {"mean": "mean", "n": "mv_normal", "bounds": {"theta": (0, None)}},
            "bounds cannot serve 'mean' and 'n' at once",
        ),
        (
            {"q": {"name": "quantile", "q": [0.1]}, "adapter": Adapter().scale("theta", by=-1)},
            r"level 1 - q beside each q[^\n]*\nAdd \[0.9\]",
        ),
    ],
)
def test_what_would_not_be_the_statistic_is_refused(arguments, message):
    data = {name: np.exp(value) for name, value in gaussian(200).items()}
    with pytest.raises(ConfigError, match=message):
        fitted(data=data, **arguments)


def test_beside_a_rule_that_cannot_be_told_the_others_are_named():
    data = {name: np.exp(value) for name, value in gaussian(200).items()}
    model = fitted(data=data, n="mv_normal", q="quantile", bounds={"theta": (0, None)})
    with pytest.raises(ConfigError, match=r"of bounds.*\n.*\nThe other rules can be asked alone: .*rules=\['q'\]"):
        model.estimate({"x": data["x"][:2]})
    assert list(model.estimate({"x": data["x"][:2]}, rules=["q"])) == ["q"]


@pytest.mark.parametrize("adapter", [Adapter().sqrt("theta"), Adapter().scale("theta", by=-1), Adapter().log("theta")])
def test_quantiles_pass_through_any_monotone_step(adapter):
    data = {name: np.exp(value) for name, value in gaussian(200).items()}
    model = fitted(data=data, q={"name": "quantile", "q": Q}, adapter=adapter)
    quantiles = model.estimate({"x": data["x"][:5]})["q"]["quantiles"]
    assert (np.diff(quantiles, axis=1) >= 0).all()


def test_a_reciprocal_jumps():
    data = {name: np.exp(value) for name, value in gaussian(200).items()}
    with pytest.raises(ConfigError, match="does not rise or fall all the way"):
        fitted(data=data, median="median", adapter=Adapter().apply("theta", "reciprocal"))


def test_networks_without_draws_say_who_has_them():
    model = fitted("point_network", data=gaussian(500))
    with pytest.raises(ConfigError, match=r"gives no draws.\nNetworks with sample: "):
        model.sample({"x": X})
    with pytest.raises(ConfigError, match="has no density"):
        model.log_prob({"theta": X, "x": X})
    with pytest.raises(NotBuiltError, match="estimate needs a trained"):
        sbicore.build("point_network").estimate({"x": X})


def test_without_conditions():
    model = sbicore.build("point_network", points=["mean"], inference_variables=["theta"])
    model.fit({"theta": gaussian()["theta"]}, **FIT)
    assert abs(model.estimate()["mean"]["mean"].item() - 3) < 0.1


def test_propriety_needs_the_names_of_rules_and_levels():
    with pytest.raises(ConfigError, match="no quantiles asked for"):
        sbicore.build("point_network", q=[0.1])
    with pytest.raises(ConfigError, match="did you mean 'quantiles'"):
        sbicore.build("point_network", points=["quantile"])
    with pytest.raises(ConfigError, match="has no hyperparameter 'subnett'"):
        sbicore.build("scoring_rule_network", subnett="mlp")
