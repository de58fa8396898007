"""Two Gaussian models whose Bayes factor is known; simulations of several models; what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore.errors import ConfigError, DataError, ShapeError

X = np.linspace(-4, 4, 41)[:, None]
LOG_BF = 0.5 * np.log(4) - 0.5 * X[:, 0] ** 2 * (1 - 1 / 4)
"""log N(x; 0, 1) - log N(x; 0, 4), of the first model against the second."""


def narrow(rng):
    return {"x": rng.normal(size=1), "own": rng.normal()}


def wide(rng):
    return {"x": 2 * rng.normal(size=1)}


FIT = {"epochs": 12, "batch_size": 256, "learning_rate": 5e-3, "compile": "never", "progress": False, "seed": 1}


@pytest.mark.parametrize(
    ("rules", "p"),
    [("cross_entropy", None), ("logistic", None), (["cross_entropy", "brier"], [0.8, 0.2])],
)
def test_the_bayes_factor_of_two_normals(rules, p):
    simulator = sbicore.ModelComparisonSimulator([narrow, wide], p=p)
    model = sbicore.ModelComparisonApproximator(
        scoring_rules=rules, subnet_kwargs={"widths": [32, 32]}, inference_conditions=["x"]
    )
    model.fit(simulator.sample(20_000, seed=1), **FIT)
    found = model.estimate({"x": X}, simulated_prior=p)
    inside = np.abs(X[:, 0]) < 3
    error = np.abs(found["log_bayes_factors"][:, 1] + LOG_BF)
    assert error[inside].mean() < 0.1
    odds = LOG_BF + np.log((p or [0.5, 0.5])[0] / (p or [0.5, 0.5])[1])
    np.testing.assert_allclose(found["model_probs"][inside, 0], 1 / (1 + np.exp(-odds[inside])), atol=0.06)
    equal = model.estimate({"x": X}, simulated_prior=p, model_prior=[0.5, 0.5])
    np.testing.assert_allclose(equal["log_odds"], equal["log_bayes_factors"], atol=1e-5)


def test_workflow_saves_and_answers(tmp_path):
    workflow = sbicore.ModelComparisonWorkflow(
        [narrow, wide], p=[0.3, 0.7], subnet_kwargs={"widths": [16]}, inference_conditions=["x"]
    )
    workflow.fit_online(epochs=2, num_batches_per_epoch=20, batch_size=64, progress=False, seed=1)
    found = workflow.estimate({"x": X})
    assert found["model_probs"].shape == (41, 2)
    np.testing.assert_allclose(found["model_probs"].sum(1), 1, rtol=1e-5)
    workflow.save(tmp_path / "m.sbi")
    again = sbicore.load(tmp_path / "m.sbi").estimate({"x": X}, simulated_prior=[0.3, 0.7])
    np.testing.assert_array_equal(again["log_odds"], found["log_odds"])
    with pytest.raises(ConfigError, match=r"gives no draws; with other hyperparameters it does.\n.*has estimate"):
        workflow.sample({"x": X})


def test_rows_are_mixed_and_repeat_with_the_seed():
    simulator = sbicore.ModelComparisonSimulator([narrow, wide], p=[0.25, 0.75])
    rows = simulator.sample(4_000, seed=3)
    assert set(rows) == {"model_indices", "x"}
    share = rows["model_indices"][:, 0]
    assert abs(share.mean() - 0.25) < 0.03 and abs(share[:2_000].mean() - 0.25) < 0.04
    deviations = [rows["x"][share == which].std() for which in (1, 0)]
    np.testing.assert_allclose(deviations, [1, 2], rtol=0.1)
    again = simulator.sample(4_000, seed=3)
    np.testing.assert_array_equal(rows["x"], again["x"])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: sbicore.ModelComparisonSimulator([narrow]), ConfigError, "two or more"),
        (lambda: sbicore.ModelComparisonSimulator([narrow, wide], p=[1, 1]), ConfigError, "sum to 1"),
        (lambda: sbicore.ModelComparisonSimulator([narrow, lambda rng: {"y": 1.0}]).sample(5), DataError, "in common"),
        (
            lambda: sbicore.ModelComparisonSimulator([narrow, lambda rng: {"x": np.zeros(3)}]).sample(5),
            ShapeError,
            "different shapes",
        ),
        (lambda: sbicore.ModelComparisonApproximator(scoring_rules="mean"), ConfigError, "not for models"),
    ],
)
def test_what_cannot_be_compared(make, error, message):
    with pytest.raises(error, match=message):
        make()


def numbered(shape=()):
    """Simulations with the number of the model in place of a vector."""
    rows = sbicore.ModelComparisonSimulator([narrow, wide]).sample(4_000, seed=1)
    rows["model_indices"] = rows["model_indices"].argmax(1).reshape(-1, *shape)
    return rows


@pytest.mark.parametrize("shape", [(), (1,)])
def test_models_may_be_numbered(shape, tmp_path):
    fit = FIT | {"epochs": 2}
    rows = numbered(shape)
    model = sbicore.ModelComparisonApproximator(subnet_kwargs={"widths": [16]}, inference_conditions=["x"])
    with pytest.raises(DataError, match="must number two or more models from 0 without a gap; .* have 1, 2"):
        model.fit({**rows, "model_indices": rows["model_indices"] + 1}, **fit)
    with pytest.raises(DataError, match="the first data have 0\n"):
        model.fit({**rows, "model_indices": 0 * rows["model_indices"]}, **fit)
    model.fit(rows, **fit)
    found = model.estimate({"x": X})
    vectors = {**rows, "model_indices": np.eye(2)[rows["model_indices"].ravel()]}
    other = sbicore.ModelComparisonApproximator(subnet_kwargs={"widths": [16]}, inference_conditions=["x"])
    other.fit(vectors, **fit)
    np.testing.assert_array_equal(found["log_odds"], other.estimate({"x": X})["log_odds"])
    model.save(tmp_path / "m.sbi")
    np.testing.assert_array_equal(sbicore.load(tmp_path / "m.sbi").estimate({"x": X})["log_odds"], found["log_odds"])
    model.fit(rows, **fit)
    with pytest.raises(DataError, match="does not know 2 of 'model_indices'\nKnown categories: 0, 1"):
        model.fit({**rows, "model_indices": 2 * rows["model_indices"]}, **fit)


def test_numbers_with_gaps_go_by_their_categories():
    rows = numbered()
    rows["model_indices"] = np.array([4, 9])[rows["model_indices"]]
    model = sbicore.ModelComparisonApproximator(
        subnet_kwargs={"widths": [16]},
        inference_conditions=["x"],
        adapter=sbicore.Adapter().one_hot("model_indices", categories=[4, 9]),
    )
    model.fit(rows, **FIT | {"epochs": 1})
    assert model.estimate({"x": X})["model_probs"].shape == (41, 2)


@pytest.mark.parametrize("rule", ["cross_entropy", "brier"])
def test_rules_of_categories_refuse_numbers(rule):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 2))
    roles = {"inference_variables": ["theta"], "inference_conditions": ["x"]}
    cases = {
        r"'theta' has shape \(1,\)": rng.normal(size=300),
        r"'theta' has shape \(2, 2\)": rng.normal(size=(300, 2, 2)),
        "'theta' has others": rng.dirichlet([1, 1], 300),
    }
    for found, theta in cases.items():
        model = sbicore.build("scoring_rule_network", subnet_kwargs={"widths": [8]}, scoring_rules={"s": rule}, **roles)
        with pytest.raises(DataError, match="'s' takes rows with a one for the category, of two or more; " + found):
            model.fit({"theta": theta, "x": x}, epochs=1, progress=False)
    model.fit({"theta": np.eye(2)[rng.integers(0, 2, 300)], "x": x}, epochs=1, seed=1, progress=False)
    np.testing.assert_allclose(model.estimate({"x": x[:5]})["s"]["probs"].sum(-1), 1, rtol=1e-5)
    with pytest.raises(ConfigError, match="the rule 's' is for categories, and 'mean' is for numbers"):
        sbicore.build("scoring_rule_network", scoring_rules={"s": rule, "mean": "mean"}, **roles)


def test_models_without_an_observation_are_refused():
    model = sbicore.ModelComparisonApproximator(subnet_kwargs={"widths": [8]})
    rows = sbicore.ModelComparisonSimulator([narrow, wide]).sample(300, seed=1)
    with pytest.raises(ConfigError, match="given an observation, and none is named\nGive inference_conditions"):
        model.fit(rows, **FIT)
