"""Ensembles: the law of their mixture, estimates, saving, refusals."""

from __future__ import annotations

import copy
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy import stats

import sbicore
from sbicore.approximators._mixture import checked_weights, members_draws, mixed
from sbicore.errors import ConfigError, NotBuiltError

QUIET = {"progress": False}
SMALL = {"subnet_kwargs": {"widths": [16]}, "inference_variables": ["theta"], "inference_conditions": ["x"]}


def gaussian(n, seed=0):
    """theta ~ N(50, 100 I) and x | theta ~ N(theta, 25 I): the posterior has variance 20 and the mean below."""
    rng = np.random.default_rng(seed)
    theta = 50 + 10 * rng.normal(size=(n, 2))
    return {"theta": theta, "x": theta + 5 * rng.normal(size=(n, 2))}


def posterior_mean(x):
    return 50 + 0.8 * (np.asarray(x) - 50)


def build(network="coupling_flow", ensemble=3, **arguments):
    return sbicore.build(network, ensemble=ensemble, **{**SMALL, **arguments})


def fit(model, data, **options):
    return model.fit(data, **{"epochs": 2, "batch_size": 32, "seed": 1, **QUIET, **options})


@pytest.fixture(scope="module")
def data():
    return gaussian(400)


@pytest.fixture(scope="module")
def trained():
    model = build(depth=2, ensemble=3)
    fit(model, gaussian(4000), epochs=15, batch_size=128, learning_rate=3e-3, ema_decay=0.9)
    return model


def test_draws_and_densities_of_the_conjugate_gaussian(trained):
    """Over four seeds means are off by 0.4 at most, covariances by 2.6, and densities by 0.054 to 0.059 nats."""
    x = np.array([[40.0, 60.0], [70.0, 50.0]])
    draws = trained.sample({"x": x}, 3000, seed=1, **QUIET)["theta"]
    assert draws.shape == (2, 3000, 2)
    np.testing.assert_allclose(draws.mean(1), posterior_mean(x), atol=0.7)
    for row in draws:
        np.testing.assert_allclose(np.cov(row.T), 20 * np.eye(2), atol=4.0)
    rows = gaussian(500, seed=2)
    exact = stats.norm(posterior_mean(rows["x"]), np.sqrt(20)).logpdf(rows["theta"]).sum(1)
    assert np.abs(trained.log_prob(rows, **QUIET) - exact).mean() < 0.08


def test_the_density_integrates_to_one_and_is_that_of_the_weighted_members(trained):
    axis = np.linspace(0, 100, 101)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    rows = {"theta": grid, "x": np.array([[45.0, 55.0]])}
    weights = [0.5, 0.3, 0.2]
    found = trained.log_prob(rows, member_weights=weights, **QUIET).astype(float)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=0.01)
    each = trained.log_prob(rows, merge_members=False, **QUIET)
    direct = sum(w * np.exp(each[name].astype(float)) for w, name in zip(weights, "012", strict=True))
    np.testing.assert_allclose(np.exp(found), direct, rtol=1e-3, atol=1e-30)


def test_a_member_without_weight_has_no_part(trained):
    rows = gaussian(5, seed=3)
    with torch.no_grad():
        spoilt = copy.deepcopy(trained)
        for parameter in spoilt.members["1"].parameters():
            parameter.fill_(torch.nan)
    weights = {"0": 1.0, "2": 3.0}
    for model in (trained, spoilt):
        assert np.isfinite(model.log_prob(rows, member_weights=weights, **QUIET)).all()
        assert np.isfinite(model.sample({"x": rows["x"]}, 8, member_weights=weights, seed=1, **QUIET)["theta"]).all()
    alone = trained.members["2"].log_prob(rows, **QUIET)
    np.testing.assert_allclose(trained.log_prob(rows, member_weights=[0, 0, 7], **QUIET), alone, rtol=1e-5)


def test_draws_outside_the_support_have_no_density(data):
    model = build(bounds={"theta": (-100.0, 200.0)})
    fit(model, data)
    rows = {"theta": np.array([[0.0, 500.0], [50.0, 50.0]]), "x": np.array([[50.0, 50.0]])}
    assert np.isneginf(model.log_prob(rows, **QUIET)).tolist() == [True, False]


def test_draws_repeat_and_do_not_depend_on_neighbours(trained):
    x = np.array([[40.0, 60.0], [70.0, 50.0]])
    first = trained.sample({"x": x}, 50, seed=1, **QUIET)["theta"]
    assert np.array_equal(first, trained.sample({"x": x}, 50, seed=1, **QUIET)["theta"])
    other = trained.sample({"x": np.stack([x[0] + 7, x[1], x[0]])}, 50, seed=1, **QUIET)["theta"]
    np.testing.assert_allclose(other[1], first[1], rtol=1e-4)
    assert not np.array_equal(first, trained.sample({"x": x}, 50, seed=2, **QUIET)["theta"])


def test_the_allocation_is_stratified_unbiased_and_shuffled():
    weights = checked_weights([0.5, 0.25, 0.25], ["a", "b", "c"])
    counts = members_draws(weights, 10)
    assert counts == {"a": 5, "b": 3, "c": 3}
    parts = {name: {"k": torch.full((4000, n), float(i))} for i, (name, n) in enumerate(counts.items())}
    found = mixed(parts, weights, 10, seed=3)["k"]
    shares = torch.stack([(found == i).sum(1) for i in range(3)], 1)
    assert shares.sum(1).unique().tolist() == [10]
    assert shares[:, 0].unique().tolist() == [5]
    assert set(shares[:, 1].tolist()) == {2, 3}
    assert abs(float(shares[:, 1].double().mean()) - 2.5) < 4 * 0.5 / np.sqrt(4000)
    first = torch.stack([(found[:, 0] == i).double().mean() for i in range(3)])
    assert float((first - torch.tensor([0.5, 0.25, 0.25])).abs().max()) < 4 * 0.5 / np.sqrt(4000)


def test_no_draw_of_a_member_is_taken_twice():
    weights = checked_weights(None, ["0", "1", "2"])
    counts = members_draws(weights, 7)
    parts = {name: {"k": torch.arange(n).repeat(50, 1) + 100 * int(name)} for name, n in counts.items()}
    found = mixed(parts, weights, 7, seed=1)["k"]
    assert all(len(row.unique()) == 7 for row in found)


def test_weights_are_exact():
    assert checked_weights(None, ["0", "1", "2"]) == dict.fromkeys("012", Fraction(1, 3))
    assert checked_weights({"1": 2, "0": 6}, ["0", "1", "2"]) == {"0": Fraction(3, 4), "1": Fraction(1, 4), "2": 0}


def test_draws_of_each_member(trained):
    found, report = trained.sample({"x": [50.0, 50.0]}, 20, merge_members=False, report=True, seed=1, **QUIET)
    assert list(found) == ["0", "1", "2"]
    assert {value["theta"].shape for value in found.values()} == {(1, 20, 2)}
    assert not np.array_equal(found["0"]["theta"], found["1"]["theta"])
    assert list(report.members) == ["0", "1", "2"]
    assert report.seed == 1


def test_without_conditions(data):
    model = build(inference_conditions=None)
    fit(model, {"theta": data["theta"]})
    assert model.sample(num_samples=7, seed=1, **QUIET)["theta"].shape == (7, 2)


def test_another_process_draws_the_same(trained, tmp_path):
    path = tmp_path / "m.sbi"
    trained.save(path)
    code = (
        "import sys, numpy, sbicore; m = sbicore.load(sys.argv[1]); "
        "numpy.save(sys.argv[2], m.sample({'x': [40.0, 60.0]}, 9, seed=1, progress=False)['theta'])"
    )
    subprocess.run([sys.executable, "-c", code, str(path), str(tmp_path / "d.npy")], check=True)
    here = trained.sample({"x": [40.0, 60.0]}, 9, seed=1, **QUIET)["theta"]
    np.testing.assert_allclose(np.load(tmp_path / "d.npy"), here, rtol=1e-6)
    loaded = sbicore.load(path)
    assert type(loaded).__name__ == "EnsembleApproximator"
    assert loaded.history == trained.history
    fit(loaded, gaussian(400), epochs=1)
    assert loaded.history.members["0"].steps == trained.history.members["0"].steps + 11


def test_estimates_that_can_be_averaged_are(data):
    model = build("point_network", ensemble=2, points=["mean", "quantiles"])
    fit(model, data)
    x = np.array([[40.0, 60.0], [70.0, 50.0], [50.0, 50.0]])
    each = model.estimate({"x": x}, merge_members=False)
    found = model.estimate({"x": x}, member_weights=[1, 3])
    for rule, statistics in found.items():
        for name, value in statistics.items():
            direct = 0.25 * each["0"][rule][name] + 0.75 * each["1"][rule][name]
            np.testing.assert_allclose(value, direct, rtol=1e-5)


def test_parameters_of_densities_are_not_averaged(data):
    model = build("scoring_rule_network", ensemble=2, scoring_rules={"mean": "mean", "joint": "mv_normal"})
    fit(model, data)
    with pytest.raises(ConfigError, match="'scale' of the rule 'joint' cannot be averaged"):
        model.estimate({"x": [50.0, 50.0]})
    assert model.estimate({"x": [50.0, 50.0]}, rules="mean")["mean"]["mean"].shape == (1, 2)
    assert list(model.estimate({"x": [50.0, 50.0]}, merge_members=False)) == ["0", "1"]
    assert model.sample({"x": [50.0, 50.0]}, 5, seed=1, **QUIET)["theta"].shape == (1, 5, 2)


def test_probabilities_of_models_are_those_of_the_mixture():
    def narrow(rng):
        return {"x": rng.normal(size=1)}

    def wide(rng):
        return {"x": 2 * rng.normal(size=1)}

    simulator = sbicore.ModelComparisonSimulator([narrow, wide])
    members = [
        sbicore.ModelComparisonApproximator(subnet_kwargs={"widths": [8]}, inference_conditions=["x"]) for _ in "12"
    ]
    model = sbicore.EnsembleApproximator(members)
    fit(model, simulator.sample(500, seed=1))
    x = np.array([[0.0], [3.0]])
    found = model.estimate({"x": x})
    each = model.estimate({"x": x}, merge_members=False)
    np.testing.assert_allclose(
        found["model_probs"], (each["0"]["model_probs"] + each["1"]["model_probs"]) / 2, rtol=1e-5
    )
    skewed = model.estimate({"x": x}, model_prior=[0.9, 0.1])
    np.testing.assert_allclose(skewed["log_bayes_factors"], found["log_bayes_factors"], atol=1e-5)


def test_different_networks_by_name(data, tmp_path):
    members = {
        "flow": sbicore.build("flow_matching", **SMALL),
        "couplings": sbicore.build("coupling_flow", depth=2, **SMALL),
    }
    model = sbicore.EnsembleApproximator(members)
    fit(model, data)
    model.save(tmp_path / "m.sbi")
    x = {"x": [50.0, 50.0]}
    loaded = sbicore.load(tmp_path / "m.sbi").sample(x, 5, seed=1, **QUIET)
    assert np.array_equal(loaded["theta"], model.sample(x, 5, seed=1, **QUIET)["theta"])
    assert list(model.members) == ["flow", "couplings"]


def test_an_option_that_one_member_lacks(data):
    flow = sbicore.build("flow_matching", **SMALL)
    model = sbicore.EnsembleApproximator({"flow": flow, "couplings": sbicore.build("coupling_flow", depth=1, **SMALL)})
    fit(model, data)
    with pytest.raises(ConfigError, match="sample of the member 'couplings' has no argument 'steps'"):
        model.sample({"x": [50.0, 50.0]}, 5, steps=3, **QUIET)


def test_presets_and_options_of_fit():
    model = sbicore.build("flow_matching", preset="small", ensemble=2, fit_kwargs={"epochs": 1})
    assert model.fit_kwargs["epochs"] == 1
    assert model.config == sbicore.build("flow_matching", preset="small").config


def test_the_workflow(data):
    def prior(rng):
        return {"theta": 50 + 10 * rng.normal(size=2)}

    def observe(theta, rng):
        return {"x": theta + 5 * rng.normal(size=2)}

    workflow = sbicore.EnsembleWorkflow([prior, observe], inference_network="coupling_flow", ensemble_size=2, **SMALL)
    history = workflow.fit_online(epochs=1, num_batches_per_epoch=3, batch_size=16, data_reuse=0.5, seed=1, **QUIET)
    assert list(history.members) == ["0", "1"]
    assert workflow.sample({"x": [50.0, 50.0]}, 4, seed=1, **QUIET)["theta"].shape == (1, 4, 2)
    assert workflow.log_prob(workflow.simulate(3, seed=1), **QUIET).shape == (3,)
    assert len(workflow.plot_loss().axes) == 1


@pytest.mark.parametrize("count", [1, 0, -2, True, "3", 2.0, [1, 2]])
def test_the_number_of_members_is_checked(count):
    with pytest.raises(ConfigError, match="ensemble takes a whole number of members, at least 2"):
        sbicore.build("flow_matching", ensemble=count)
    with pytest.raises(ConfigError, match="at least 2"):
        sbicore.EnsembleWorkflow(ensemble_size=count)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 2.0], "one weight for each of 3 members"),
        ([0, 0, 0], "all zero"),
        ([1, -1, 1], "finite numbers >= 0, got -1 for '1'"),
        ([1, np.nan, 1], "finite numbers"),
        ([1, True, 1], "finite numbers"),
        ({"3": 1.0}, "no member"),
        ("abc", "one weight for each"),
        (0.5, "one weight for each"),
    ],
)
def test_weights_that_are_none(trained, weights, message):
    with pytest.raises(ConfigError, match=message):
        trained.sample({"x": [50.0, 50.0]}, 3, member_weights=weights, **QUIET)


def test_what_is_refused(trained, data, tmp_path):
    with pytest.raises(ConfigError, match="merge_members takes True or False"):
        trained.log_prob(data, merge_members="no", **QUIET)
    with pytest.raises(ConfigError, match="no meaning with merge_members=False"):
        trained.sample({"x": [50.0, 50.0]}, 3, merge_members=False, member_weights=[1, 1, 1], **QUIET)
    with pytest.raises(ConfigError, match="'coupling_flow' does not estimate"):
        trained.estimate({"x": [50.0, 50.0]})
    for call in (trained.sample, trained.log_prob):
        with pytest.raises(ConfigError, match="has no argument 'merge_member'; did you mean 'merge_members'"):
            call(data, merge_member=False, **QUIET)
    with pytest.raises(ConfigError, match="num_samples"):
        trained.sample({"x": [50.0, 50.0]}, 0, **QUIET)
    for reuse in (-0.1, 1.5, True, "all"):
        with pytest.raises(ConfigError, match="data_reuse must be a number from 0 to 1"):
            fit(build(), data, data_reuse=reuse)
    with pytest.raises(ConfigError, match="writes no checkpoint"):
        fit(build(), data, checkpoint=tmp_path / "c")
    with pytest.raises(ConfigError, match="vectorize takes"):
        fit(build(), data, vectorize="yes")
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        fit(build(), data, epoch=3)
    with pytest.raises(NotBuiltError):
        build().save(tmp_path / "m.sbi")


def test_members_differ_and_share_their_standardisation(trained):
    members = list(trained.by_name.values())
    assert not torch.equal(*(next(member.network.parameters()) for member in members[:2]))
    assert len({id(member.standardizers) for member in members}) == 1
    assert trained.first.standardizer("inference_variables").mean.mean() == pytest.approx(50, abs=1)


def test_members_that_do_not_go_together(trained):
    one = sbicore.build("coupling_flow", **SMALL)
    with pytest.raises(ConfigError, match="different standardize"):
        sbicore.EnsembleApproximator([one, sbicore.build("coupling_flow", standardize=None, **SMALL)])
    with pytest.raises(ConfigError, match="different type"):
        sbicore.EnsembleApproximator([one, sbicore.build("point_network", **SMALL)])
    with pytest.raises(ConfigError, match="given twice"):
        sbicore.EnsembleApproximator([one, one])
    with pytest.raises(ConfigError, match="has learnt already"):
        sbicore.EnsembleApproximator([one, trained.members["0"]])
    with pytest.raises(ConfigError, match="at least 2 members, got 1"):
        sbicore.EnsembleApproximator([one])
    with pytest.raises(ConfigError, match="is no approximator"):
        sbicore.EnsembleApproximator([one, "coupling_flow"])
    with pytest.raises(ConfigError, match="without dots"):
        sbicore.EnsembleApproximator({"a.b": one, "c": sbicore.build("coupling_flow", **SMALL)})
