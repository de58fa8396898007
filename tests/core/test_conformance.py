"""The conformance checks pass what conforms and name what does not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import nn

import sbicore
from sbicore.config import (
    DistributionConfig,
    InferenceNetworkConfig,
    IntegratorConfig,
    SimulatorConfig,
    SubnetConfig,
    frozen,
)
from sbicore.errors import ConformanceError
from sbicore.fields import component, integer
from sbicore.randomness import randn
from sbicore.registry import resolve
from sbicore.testing import TinySubnet, check_component

CORE = [row for row in sbicore.plugins() if row["distribution"] == "sbicore"]


class Layers(nn.Module):
    """A subnet that conforms; broken ones differ in one thing."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or 8
        self.x = nn.Linear(shapes.target[-1], 8)
        self.t = nn.Linear(1, 8)
        self.c = nn.Linear(shapes.conditions[-1], 8) if shapes.conditions else None
        self.out = nn.Linear(8, self.out_features)

    def forward(self, x, t, conditions=None):
        h = self.x(x) + self.t(t.unsqueeze(-1))
        return self.out((h if self.c is None else h + self.c(conditions)).tanh())


@frozen(kw_only=True)
class Sound(SubnetConfig):
    """A subnet."""

    name: ClassVar[str] = "sound"
    uses_time: ClassVar[str] = "required"
    module: ClassVar[type[nn.Module]] = Layers

    def build(self, shapes):
        return self.module(shapes)


class WrongShape(Layers):
    def forward(self, *args, **kwargs):
        return super().forward(*args, **kwargs)[..., :-1]


class IgnoresOutput(Layers):
    def __init__(self, shapes):
        super().__init__(shapes)
        self.out_features, self.out = 8, nn.Linear(8, 8)


class IgnoresTime(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, 0 * t, conditions)


class MixesRows(Layers):
    def forward(self, x, t, conditions=None):
        return super().forward(x, t, conditions) + t.sum()


class DeadParameter(Layers):
    def __init__(self, shapes):
        super().__init__(shapes)
        self.idle = nn.Parameter(torch.ones(3))


class HalfPrecision(Layers):
    def forward(self, *args, **kwargs):
        return super().forward(*args, **kwargs).float()


class Raises(Layers):
    def forward(self, *args, **kwargs):
        raise RuntimeError("mat1 and mat2\ncannot be multiplied")


BROKEN_SUBNETS = [
    (WrongShape, "check_shape: .*expected shape"),
    (IgnoresOutput, "check_shape: .*out_features is 8"),
    (HalfPrecision, "check_shape: .*float64 gives torch.float32"),
    (Raises, "check_shape: RuntimeError: mat1 and mat2 cannot be multiplied"),
    (IgnoresTime, "check_inputs: .*t has no effect"),
    (MixesRows, "check_shared: .*they differ"),
    (DeadParameter, "check_gradients: .*none reaches idle"),
]


def with_module(module):
    return frozen(kw_only=True)(type("Broken", (Sound,), {"module": module, "__doc__": "Broken."}))


class TestSubnets:
    @pytest.mark.parametrize("config", [Sound(), TinySubnet(), TinySubnet(width=3)], ids=repr)
    def test_sound_ones_pass(self, config):
        check_component(config)

    @pytest.mark.parametrize(("module", "message"), BROKEN_SUBNETS, ids=lambda case: getattr(case, "__name__", ""))
    def test_broken_ones_are_named_with_the_check(self, module, message):
        with pytest.raises(ConformanceError, match=f"'sound' fails {message}") as caught:
            check_component(with_module(module)())
        first, rule, where = str(caught.value).split("\n")
        assert first.startswith(f"'sound' fails {caught.value.check}")
        assert rule.startswith("Rule: ")
        assert where == "For: Broken()"
        assert caught.value.component == "sound"


class TestConfigs:
    def broken(self, message, **members):
        config = frozen(kw_only=True)(type("Broken", (Sound,), {"__doc__": "Broken.", **members}))()
        with pytest.raises(ConformanceError, match=message):
            check_component(config)

    def test_undecorated_class(self):
        with pytest.raises(ConformanceError, match="check_class: Bare is not decorated"):
            check_component(type("Bare", (Sound,), {})())

    def test_no_examples(self):
        self.broken(r"check_class: examples\(\) is empty", examples=classmethod(lambda cls: ()))

    def test_undocumented_hyperparameter(self):
        self.broken("check_documented: no doc= for size", size=integer(1, doc=""))

    def test_lossy_saved_form(self):
        members = {"size": integer(1, doc="Size."), "to_dict": lambda self: {"name": "sound"}}
        config = frozen(kw_only=True)(type("Broken", (Sound,), {"__doc__": "Broken.", **members}))(size=2)
        with pytest.raises(ConformanceError, match=r"check_round_trip: got Broken\(size=1\)"):
            check_component(config)

    def test_swallowed_misspelling(self):
        def from_kwargs(cls, **kwargs):
            return type.__call__(cls)

        self.broken("check_unknown_key: not_a_hyperparameter=1 was accepted", from_kwargs=classmethod(from_kwargs))


class Regression(nn.Module):
    """Predicts the mean, with standard normal noise: a network that conforms."""

    def __init__(self, config, shapes):
        super().__init__()
        self.size = shapes.target[0]
        self.mean = nn.Linear(shapes.conditions[0] if shapes.conditions else 1, self.size)

    def centre(self, conditions, lead):
        return self.mean(torch.ones(*lead, 1) if conditions is None else conditions)

    def loss(self, targets, conditions, *, generator=None):
        return (targets - self.centre(conditions, targets.shape[:-1])).square().mean(-1)

    def sample(self, shape, conditions, *, generator=None, report=None):
        return self.centre(conditions, shape) + randn((*shape, self.size), generator)

    def log_prob(self, targets, conditions, *, report=None):
        return -self.loss(targets, conditions)


class ScalarLoss(Regression):
    def loss(self, *args, **kwargs):
        return super().loss(*args, **kwargs).mean()


class OwnNoise(Regression):
    def sample(self, shape, conditions, *, generator=None, report=None):
        return super().sample(shape, conditions)


class SharedNoise(Regression):
    def sample(self, shape, conditions, *, generator=None, report=None):
        draws = super().sample(shape, conditions, generator=generator)
        return draws + draws.sum()


class Unnormalised(Regression):
    def log_prob(self, targets, conditions, *, report=None):
        return super().log_prob(targets, conditions).sum(-1)


def network(module):
    @frozen(kw_only=True)
    class Network(InferenceNetworkConfig):
        """A network."""

        name: ClassVar[str] = "toy"
        capabilities: ClassVar[frozenset[str]] = frozenset({"sample", "log_prob"})
        subnet: Any = component("subnet", None, optional=True, doc="Not used.")

        def build(self, shapes):
            assert self.subnet == TinySubnet()
            return module(self, shapes)

    return Network()


class TestNetworks:
    def test_a_sound_one_passes_on_a_subnet_of_the_kit(self):
        check_component(network(Regression))

    @pytest.mark.parametrize(
        ("module", "message"),
        [
            (ScalarLoss, r"check_loss: expected shape \(1,\), got \(\)"),
            (OwnNoise, "check_sample: the same seed gives other draws"),
            (SharedNoise, "check_sample: a row depends on its neighbours"),
            (Unnormalised, r"check_log_prob: expected \(3, 5\), got \(3,\)"),
        ],
    )
    def test_broken_ones_are_caught(self, module, message):
        with pytest.raises(ConformanceError, match=message):
            check_component(network(module))


class TestCore:
    @pytest.mark.parametrize("row", CORE, ids=lambda row: row["name"])
    def test_components_of_core_conform(self, row):
        for config in resolve(row["name"], kind=row["kind"]).examples():
            check_component(config)

    def test_an_order_that_is_not_reached_is_caught(self):
        @frozen(kw_only=True)
        class Boastful(IntegratorConfig):
            """Euler, declared as order 2."""

            name: ClassVar[str] = "boastful"
            order: ClassVar[int] = 2

            def build(self):
                return sbicore.integrators.Euler().build()

        with pytest.raises(ConformanceError, match=r"check_order: from 0.0 to 2.0 it is 1.00, declared is 2"):
            check_component(Boastful())

    def test_a_density_that_does_not_integrate_to_one_is_caught(self):
        @frozen(kw_only=True)
        class Loose(DistributionConfig):
            """A normal of another height."""

            name: ClassVar[str] = "loose"

            def build(self, shapes=None):
                made = sbicore.distributions.Normal().build(shapes)
                log_prob = made.log_prob
                made.log_prob = lambda x: log_prob(x) + 0.1
                return made

        with pytest.raises(ConformanceError, match=r"check_distribution: the density integrates to 1\.1052"):
            check_component(Loose())

    def test_a_simulator_that_ignores_its_seed_is_caught(self):
        @frozen(kw_only=True)
        class Wild(SimulatorConfig):
            """Noise."""

            name: ClassVar[str] = "wild"

            def build(self):
                return self

            def sample(self, n, *, seed=None):
                return {"x": np.random.default_rng().normal(size=n)}

        with pytest.raises(ConformanceError, match="check_simulator: the same seed gives another x"):
            check_component(Wild())


def test_the_kit_needs_neither_pytest_nor_torch_for_what_it_says_about_configs():
    code = "import sys, sbicore.testing as t; list(t.checks(None)); print({'torch', 'pytest'} & {*sys.modules})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"
