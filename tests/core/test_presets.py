"""Presets complete what the user does not say, one name at a time; `fit_kwargs` are defaults of `fit`."""

from typing import ClassVar

import numpy as np
import pytest

import sbicore
from sbicore.config import InferenceNetworkConfig, SubnetConfig, frozen
from sbicore.errors import ConfigError, UnknownHyperparameterError
from sbicore.fields import component, integer, number
from sbicore.presets import Preset, preset_for, preset_of
from sbicore.training import FitOptions

ROWS = {"inference_variables": np.random.default_rng(0).normal(size=(200, 1)).astype(np.float32)}


@frozen(kw_only=True)
class Toy(InferenceNetworkConfig):
    """Built by nobody."""

    name: ClassVar[str] = "toy"
    presets: ClassVar = {
        "small": Preset(
            simulations=1_000,
            network={"depth": 2, "subnet": "mlp", "subnet_kwargs": {"widths": [8], "dropout": 0.5}},
            fit={"steps": 20, "batch_size": 10, "patience": 3},
        ),
        "large": Preset(simulations=100_000, network={"depth": 9}),
    }

    subnet: SubnetConfig = component("subnet", "mlp", doc="Backbone.")
    depth: int = integer(1, doc="Depth.")
    rate: float = number(0.0, doc="Rate.")


@pytest.fixture(autouse=True)
def known():
    with sbicore.registry.registered(Toy):
        yield


class TestCompleted:
    def test_what_is_given_wins_and_the_rest_comes_from_the_preset(self):
        assert Toy.presets["small"].completed({"depth": 5, "rate": 1.0})["depth"] == 5
        assert Toy.presets["small"].completed({"rate": 1.0})["depth"] == 2

    def test_kwargs_of_a_component_are_joined(self):
        found = Toy.presets["small"].completed({"subnet_kwargs": {"dropout": 0.1}})
        assert found["subnet_kwargs"] == {"widths": [8], "dropout": 0.1}

    @pytest.mark.parametrize("order", [("subnet", "subnet_kwargs"), ("subnet_kwargs", "subnet")])
    def test_another_component_comes_without_those_of_the_preset(self, order):
        given = {"subnet": "time_mlp", "subnet_kwargs": {"widths": [4]}}
        found = Toy.presets["small"].completed({name: given[name] for name in order})
        assert (found["subnet"], found["subnet_kwargs"]) == ("time_mlp", {"widths": [4]})


class TestBuild:
    def test_preset_sets_network_and_fit(self):
        model = sbicore.build("toy", preset="small", rate=0.5, inference_variables=["x"])
        assert (model.config.depth, model.config.rate, model.config.subnet.widths) == (2, 0.5, (8,))
        assert model.fit_kwargs == {"steps": 20, "batch_size": 10, "patience": 3}

    def test_fit_kwargs_win_over_the_preset(self):
        model = sbicore.build("toy", preset="small", fit_kwargs={"batch_size": 7})
        assert model.fit_kwargs["batch_size"] == 7
        assert model.fit_kwargs["steps"] == 20

    def test_fit_kwargs_rule_out_what_contradicts_them_in_the_preset(self):
        model = sbicore.build("toy", preset="small", fit_kwargs={"epochs": 3, "validation_fraction": 0.0})
        assert model.fit_kwargs == {"epochs": 3, "validation_fraction": 0.0, "batch_size": 10}
        with pytest.raises(ConfigError, match="takes a mapping"):
            sbicore.build("toy", preset="small", fit_kwargs=3)

    def test_unknown_preset(self):
        with pytest.raises(ConfigError, match=r"no preset 'smal'; did you mean 'small'\?\nIt has: small, large"):
            sbicore.build("toy", preset="smal")

    def test_a_network_without_presets(self):
        with pytest.raises(ConfigError, match="It has no presets"):
            preset_of(_Plain, "small")

    def test_a_described_network_cannot_be_completed(self):
        with pytest.raises(ConfigError, match=r"given by name(.|\n)*build\('toy', preset='small'\)"):
            sbicore.build(Toy(), preset="small")

    def test_misspelt_fit_kwargs(self):
        with pytest.raises(UnknownHyperparameterError, match=r"'epoch'; did you mean 'epochs'\?.*fit_kwargs"):
            sbicore.build("toy", fit_kwargs={"epoch": 3})
        with pytest.raises(ConfigError, match="takes a mapping"):
            sbicore.build("toy", fit_kwargs=3)

    def test_describe_lists_them(self):
        assert sbicore.describe("toy", kind="inference_network")["presets"]["large"]["network"] == {"depth": 9}


@frozen(kw_only=True)
class _Plain(InferenceNetworkConfig):
    name: ClassVar[str] = "plain"


@pytest.mark.parametrize(
    ("simulations", "name"), [(10, "small"), (9_000, "small"), (11_000, "large"), (10**9, "large")]
)
def test_the_nearest_preset_by_ratio(simulations, name):
    assert preset_for(Toy, simulations) == name
    assert preset_for(_Plain, simulations) is None


class TestFitOptions:
    def test_steps_become_whole_epochs(self):
        assert FitOptions(steps=100).in_epochs(30).epochs == 3
        assert FitOptions(steps=1).in_epochs(30).epochs == 1
        assert FitOptions(epochs=7).in_epochs(30).epochs == 7

    def test_epochs_and_steps_exclude_each_other(self):
        with pytest.raises(ConfigError, match="Give one of them"):
            FitOptions(epochs=3, steps=10)

    def test_steps_survive_another_change(self):
        assert FitOptions(steps=5).replace(compile="never").steps == 5
        assert FitOptions(steps=5).replace(steps=None, epochs=2).epochs == 2
        assert FitOptions(epochs=4).replace(compile="never").epochs == 4

    def test_what_is_given_rules_out_defaults(self):
        defaults = {"steps": 100, "patience": 5, "batch_size": 64}
        assert FitOptions.completed({"epochs": 3}, defaults).steps is None
        assert FitOptions.completed({"validation_fraction": 0.0}, defaults).patience is None
        assert FitOptions.completed({}, defaults).batch_size == 64


class TestFit:
    @staticmethod
    def model(**options):
        return sbicore.build("flow_matching", subnet="mlp", subnet_kwargs={"widths": [8]}, fit_kwargs=options)

    def test_defaults_of_the_model_are_used_saved_and_overruled(self, tmp_path):
        model = self.model(steps=10, batch_size=20)
        assert model.fit(ROWS, seed=0, progress=False).steps == 9
        model.save(tmp_path / "model.sbi")
        restored = sbicore.load(tmp_path / "model.sbi")
        assert restored.fit_kwargs == {"steps": 10, "batch_size": 20}
        assert restored.fit(ROWS, seed=0, epochs=1, progress=False).steps == 9 + 9

    def test_steps_online(self):
        simulator = sbicore.make_simulator([lambda rng: {"inference_variables": rng.normal(size=1)}])
        history = self.model(steps=12, num_batches_per_epoch=4, batch_size=8).fit(simulator, seed=0, progress=False)
        assert (history.steps, len(history.loss)) == (12, 3)

    def test_a_workflow_leaves_the_defaults_to_the_preset(self):
        workflow = sbicore.BasicWorkflow(
            inference_network="flow_matching",
            subnet="mlp",
            subnet_kwargs={"widths": [8]},
            fit_kwargs={"steps": 18, "batch_size": 20, "learning_rate": 1e-3},
        )
        history = workflow.fit_offline(ROWS, seed=0, progress=False)
        assert history.steps == 18
        assert max(history.learning_rate) <= 1e-3
        assert max(history.learning_rate) > 5e-4
