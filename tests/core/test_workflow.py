"""BasicWorkflow: one declaration for simulation, training, draws, densities and the loss plot."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore.errors import ConfigError, NotBuiltError, SimulatorError


def prior(rng):
    return {"theta": rng.normal(size=2)}


def observe(theta, rng):
    return {"x": theta + 0.5 * rng.normal(size=2)}


def workflow(**arguments):
    return sbicore.BasicWorkflow(
        simulator=[prior, observe],
        inference_network=sbicore.networks.FlowMatching(subnet_kwargs={"widths": [16]}),
        inference_variables=["theta"],
        inference_conditions=["x"],
        **arguments,
    )


def test_online_training_draws_and_densities():
    flow = workflow()
    history = flow.fit_online(epochs=2, num_batches_per_epoch=5, batch_size=32, seed=1, progress=False)
    assert history.steps == 10
    test = flow.simulate(5, seed=2)
    assert flow.sample(conditions={"x": test["x"]}, num_samples=4, progress=False)["theta"].shape == (5, 4, 2)
    assert flow.log_prob(test, progress=False).shape == (5,)


def test_offline_training_and_saving(tmp_path):
    flow = workflow(initial_learning_rate=1e-3)
    flow.fit_offline(flow.simulate(200, seed=1), epochs=4, batch_size=50, seed=1, progress=False)
    assert max(flow.history.learning_rate) > 5e-4
    flow.save(tmp_path / "m.sbi")
    loaded = sbicore.load(tmp_path / "m.sbi")
    draws = [m.sample({"x": [0.0, 0.0]}, 3, seed=1, progress=False)["theta"] for m in (loaded, flow)]
    assert np.array_equal(*draws)


def test_fit_takes_any_data_and_by_default_the_simulator():
    options = {"epochs": 2, "batch_size": 32, "seed": 1, "progress": False}
    flow, rows = workflow(initial_learning_rate=1e-3), workflow().simulate(200, seed=1)
    assert flow.fit(rows, **options).steps == 2 * 5
    assert max(flow.history.learning_rate) > 5e-4
    assert flow.fit([rows, rows], **options).steps == 10 + 2 * 12
    own = [model.fit(num_batches_per_epoch=3, **options).loss for model in (workflow(), workflow())]
    online = workflow().fit_online(num_batches_per_epoch=3, **options).loss
    assert own[0] == own[1] == online
    given = workflow().fit(simulator=flow.simulator, num_batches_per_epoch=3, **options).loss
    assert given == workflow().fit_online(num_batches_per_epoch=3, **{**options, "learning_rate": 5e-4}).loss
    with pytest.raises(ConfigError, match=r"no simulator.\n.*train on data: fit\(data\)"):
        sbicore.BasicWorkflow(inference_variables=["theta"]).fit()


def test_the_loss_plot_needs_a_loss():
    flow = workflow()
    with pytest.raises(NotBuiltError, match="no loss to plot"):
        flow.plot_loss()
    flow.fit_online(epochs=2, num_batches_per_epoch=2, batch_size=8, seed=1, progress=False)
    assert len(flow.plot_loss().axes) == 1


def test_a_workflow_without_simulator_says_so():
    flow = sbicore.BasicWorkflow(inference_variables=["theta"])
    with pytest.raises(ConfigError, match="no simulator"):
        flow.simulate(3)


def test_a_failing_simulator_names_the_function():
    def broken(theta):
        raise ZeroDivisionError("no")

    flow = sbicore.BasicWorkflow(simulator=[prior, broken], inference_variables=["theta"])
    with pytest.raises(SimulatorError, match="broken"):
        flow.fit_online(epochs=1, progress=False)


def test_online_rows_are_the_same_for_the_same_seed():
    losses = []
    for _ in range(2):
        flow = workflow()
        losses.append(flow.fit_online(epochs=1, num_batches_per_epoch=4, batch_size=8, seed=3, progress=False).loss)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_misspelt_argument_is_told_with_those_of_the_workflow():
    with pytest.raises(ConfigError, match="BasicWorkflow has no argument 'simulater'; did you mean 'simulator'\\?"):
        sbicore.BasicWorkflow(simulater=[prior, observe])
    with pytest.raises(ConfigError, match="BasicWorkflow has no argument 'sim'\nIt takes simulator, adapter, "):
        sbicore.BasicWorkflow(sim=[prior, observe])
    with pytest.raises(ConfigError, match="'flow_matching' has no hyperparameter 'loss_fm'; did you mean 'loss_fn'"):
        sbicore.BasicWorkflow(loss_fm="mse")
