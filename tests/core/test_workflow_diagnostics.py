"""Default diagnostics of workflows: from draws, from estimates, of models; what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import sbicore
from sbicore.errors import ConfigError, DataError, NotBuiltError, UnknownComponentError

FIT = {"epochs": 2, "num_batches_per_epoch": 30, "batch_size": 64, "seed": 1, "progress": False}


def prior(rng):
    return {"theta": rng.normal(size=2), "k": rng.normal()}


def observe(theta, k, rng):
    return {"x": theta + 0.5 * rng.normal(size=2), "y": k + rng.normal(size=3)}


def trained(network, inferred=("theta", "k"), **arguments):
    flow = sbicore.BasicWorkflow(
        [prior, observe],
        inference_network=sbicore.configure(network, subnet_kwargs={"widths": [32]}, **arguments),
        inference_variables=list(inferred),
        inference_conditions=["x", "y"],
    )
    flow.fit_online(**FIT)
    return flow


@pytest.fixture(scope="module")
def flow():
    return trained("coupling_flow", depth=2)


def test_from_draws(flow):
    test = flow.simulate(40, seed=2)
    figures = flow.plot_default_diagnostics(test, num_samples=20, seed=1)
    assert list(figures) == ["loss", "recovery", "calibration_ecdf", "coverage", "z_score_contraction"]
    assert [ax.get_title().split("\n")[0] for ax in figures["recovery"].axes] == ["theta[0]", "theta[1]", "k"]
    table = flow.compute_default_diagnostics(test, num_samples=20, seed=1)
    assert table.columns == ("theta[0]", "theta[1]", "k")
    assert 0 < table["NRMSE"]["k"] < 1.2
    again = flow.compute_default_diagnostics(test, 20, variable_keys="k", variable_names=["kappa"], seed=1)
    assert again["NRMSE"]["kappa"] == pytest.approx(table["NRMSE"]["k"])


def test_test_data_may_be_a_number_to_simulate(flow):
    one, two, other = (flow.compute_default_diagnostics(12, 10, seed=seed)["NRMSE"] for seed in (3, 3, 4))
    assert one == two != other


def test_test_data_may_be_a_frame(flow):
    pandas = pytest.importorskip("pandas")
    test = flow.simulate(12, seed=1)
    frame = pandas.DataFrame({name: list(value) if value.ndim > 1 else value for name, value in test.items()})
    tables = [flow.compute_default_diagnostics(data, 10, seed=1)["NRMSE"] for data in (test, frame)]
    assert tables[0] == pytest.approx(tables[1], rel=1e-5)


def test_own_functions_get_draws_and_true_values(flow):
    found = flow.custom_diagnostics(12, {"shape": lambda draws, truths: (draws["k"].shape, list(truths))}, 10)
    assert found == {"shape": ((12, 10), ["theta", "k"])}


def test_options_reach_the_sampler():
    flow = trained("flow_matching", inferred=["k"])
    flow.compute_default_diagnostics(12, 10, steps=2)
    with pytest.raises(ConfigError, match="stepss"):
        flow.compute_default_diagnostics(12, 10, stepss=2)


def test_from_estimates():
    points = trained("point_network", points=["mean", "quantiles"], q=[0.1, 0.5, 0.9])
    assert list(points.plot_default_diagnostics(20, seed=1)) == ["loss", "recovery", "calibration_ecdf"]
    table = points.compute_default_diagnostics(20, seed=1)
    assert set(table) >= {"NRMSE of mean", "p-value of quantiles"}
    test = points.simulate(20, seed=1)
    points.compute_default_diagnostics(test, progress=False)
    points.plot_default_diagnostics(test, progress=True)
    assert list(points.estimate(test, progress=False)) == ["mean", "quantiles"]
    assert list(trained("point_network", inferred=["k"]).plot_default_diagnostics(20)) == ["loss", "recovery"]


def test_rules_that_draw_are_judged_by_their_draws():
    normal = trained("scoring_rule_network", normal="mv_normal")
    assert "coverage" in normal.plot_default_diagnostics(12, 10)


def test_of_models():
    workflow = sbicore.ModelComparisonWorkflow(
        [lambda rng: {"x": rng.normal(size=1)}, lambda rng: {"x": 3 * rng.normal(size=1)}],
        subnet_kwargs={"widths": [16]},
        inference_conditions=["x"],
    )
    workflow.fit_online(**FIT)
    assert list(workflow.plot_default_diagnostics(50, seed=1)) == ["loss", "confusion_matrix", "calibration"]
    table = workflow.compute_default_diagnostics(400, model_names=["narrow", "wide"], seed=1)
    assert table.columns == ("narrow", "wide")
    assert table["Brier Score"]["wide"] < 0.25
    with pytest.raises(DataError, match="true values of model_indices"):
        workflow.compute_default_diagnostics({"x": np.ones((5, 1))})


def test_refused(flow):
    test = flow.simulate(12, seed=1)
    with pytest.raises(DataError, match="true values of k\nThere are"):
        flow.plot_default_diagnostics({name: value for name, value in test.items() if name != "k"})
    with pytest.raises(DataError, match="conditions lack y"):
        flow.plot_default_diagnostics({name: value for name, value in test.items() if name != "y"})
    with pytest.raises(DataError, match="'x' is not inferred"):
        flow.plot_default_diagnostics(test, variable_keys=["x"])
    for functions in ({"a": 3}, {"a": None}):
        with pytest.raises(ConfigError, match="custom_diagnostics takes functions by name, and 'a' is"):
            flow.custom_diagnostics(test, functions)
    with pytest.raises(ConfigError, match="custom_diagnostics takes functions by name, got"):
        flow.custom_diagnostics(test, len)
    with pytest.raises(DataError, match="number of simulations, got 0"):
        flow.plot_default_diagnostics(0)
    with pytest.raises(DataError, match="test_data takes .* got str"):
        flow.plot_default_diagnostics("test")
    with pytest.raises(DataError, match="There are 5 data sets"):
        flow.compute_default_diagnostics(5, 20)
    with pytest.raises(NotBuiltError):
        sbicore.BasicWorkflow([prior, observe], inference_variables=["k"]).plot_default_diagnostics(20)


def test_without_the_plugin_the_error_says_what_to_install(flow, monkeypatch):
    monkeypatch.setitem(sys.modules, "sbicore_diagnostics", None)
    for method in (flow.plot_default_diagnostics, flow.compute_default_diagnostics):
        with pytest.raises(UnknownComponentError, match="pip install"):
            method(20)
