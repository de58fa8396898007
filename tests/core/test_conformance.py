"""The runner of the conformance checks, its two front ends, and the components of core."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

import sbicore
from sbicore.config import SubnetConfig, frozen
from sbicore.distributions import Mixture, Normal, StudentT
from sbicore.errors import ConfigError, ConformanceError, InvalidComponentError
from sbicore.fields import integer
from sbicore.integrators import Bosh3, Dopri8
from sbicore.registry import resolve
from sbicore.testing import TinySubnet, check_component, checks, parametrize_conformance

pytest_plugins = ["pytester"]

CORE = [
    config
    for row in sbicore.plugins()
    if row["distribution"] == "sbicore"
    for config in resolve(row["name"], kind=row["kind"]).examples()
]
OTHERS = [
    Normal(mean=[1.0, -2.0], std=0.1, trainable=True),
    StudentT(df=3, loc=0.5, trainable=True),
    Mixture(components=3, scales=[0.2, 1.0, 0.5], weights=[1, 2, 3]),
    Mixture(means=[[0.0, 1.0], [2.0, -1.0]], trainable=True),
]
JOINT = [Bosh3(control="batch"), Dopri8(control="batch")]


@parametrize_conformance([*CORE, *OTHERS])
def test_components_of_core_conform(component, check):
    check(component)


@parametrize_conformance(JOINT, expected_failures={"check_own_error": "one step size serves the whole batch"})
def test_joint_control_conforms_but_for_rows_of_their_own(component, check):
    check(component)


class Layer(nn.Module):
    """A subnet of one layer."""

    def __init__(self, shapes):
        super().__init__()
        self.out_features = shapes.output or 8
        sizes = shapes.target[-1] + (shapes.conditions[-1] if shapes.conditions else 0)
        self.layer = nn.Linear(sizes, self.out_features)

    def forward(self, x, t=None, conditions=None):
        parts = [x] if conditions is None else [x, conditions.expand(*x.shape[:-1], -1)]
        return self.layer(torch.cat(parts, -1))


@frozen(kw_only=True)
class Sound(SubnetConfig):
    """A subnet."""

    name: ClassVar[str] = "sound"
    module: ClassVar[Any] = Layer

    def build(self, shapes):
        return self.module(shapes)


class Short(Layer):
    def forward(self, *args, **kwargs):
        return super().forward(*args, **kwargs)[..., :-1]


class Raises(Layer):
    def forward(self, *args, **kwargs):
        raise RuntimeError("mat1 and mat2\ncannot be multiplied")


def with_members(**members):
    return frozen(kw_only=True)(type("Toy", (Sound,), {"__doc__": "A subnet.", **members}))


def statuses(report):
    return {result.check: result.status for result in report.results}


class TestCheckComponent:
    def test_takes_a_config_or_a_class_whose_first_example_it_asks(self):
        assert check_component(Sound()).passed
        assert check_component(TinySubnet).config == "TinySubnet(width=16)"

    @pytest.mark.parametrize("other", ["tiny", 1, None, nn.Linear(1, 1)])
    def test_refuses_what_is_no_component(self, other):
        with pytest.raises(InvalidComponentError, match=r"take a config with a kind and a name, got"):
            check_component(other)

    def test_a_config_without_a_name_is_told_so(self):
        with pytest.raises(InvalidComponentError, match="SubnetConfig does not say its name\nAdd to the class: name: "):
            check_component(SubnetConfig)

    def test_examples_that_cannot_be_made_are_told(self):
        needy = with_members(size=integer(ge=1, doc="Size."))
        with pytest.raises(InvalidComponentError, match=r"Toy.examples\(\) fails: ConfigError: 'sound' needs size\n"):
            check_component(needy)

    def test_what_makes_no_sense_after_a_failure_is_not_asked(self):
        report = check_component(with_members(module=Raises)(), on_failure="report")
        assert [result.check for result in report.failures] == ["check_shape"]
        assert report.results[-1].check == "check_shape"

    def test_an_exception_comes_with_its_place(self):
        report = check_component(with_members(module=Raises)(), on_failure="report")
        assert re.search(r"multiplied \(test_conformance.py, line \d+\)$", report.failures[0].found)

    def test_an_error_names_check_rule_and_config(self):
        with pytest.raises(ConformanceError) as caught:
            check_component(with_members(module=Short)())
        error = caught.value
        first, rule, more = str(error).split("\n")
        assert first.startswith("'sound' fails check_shape: ") and first.endswith("expected shape (8,), got (7,)")
        assert rule.startswith("Rule: A module keeps leading axes, none, one or two, and gives `out_features`")
        assert more == "For: Toy()"
        assert (error.check, error.component, error.report.passed) == ("check_shape", "sound", False)

    def test_an_error_names_further_failures(self):
        with pytest.raises(ConformanceError, match="check_documented") as caught:
            check_component(with_members(size=integer(1, doc=""), module=Short)())
        assert str(caught.value).split("\n")[2] == "Also: check_shape"

    def test_an_error_keeps_the_traceback_of_the_component(self):
        with pytest.raises(ConformanceError, match="check_shape: RuntimeError: mat1 and mat2 cannot be") as caught:
            check_component(with_members(module=Raises)())
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert caught.value.__cause__.__traceback__.tb_next is not None

    def test_a_report_says_what_was_found_and_the_rules_that_were_broken(self):
        report = check_component(with_members(module=Short)(), on_failure="report")
        assert not report.passed and [result.check for result in report.failures] == ["check_shape"]
        lines = str(report).split("\n")
        assert lines[0] == "subnet sound: Toy()"
        place = next(i for i, line in enumerate(lines) if line.startswith("  failed"))
        assert lines[place].split()[:2] == ["failed", "check_shape"]
        assert lines[place + 1].split()[:3] == ["Rule:", "A", "module"]
        assert json.loads(json.dumps(report))[0] == "sound"

    def test_advice_is_reported_and_does_not_fail(self):
        report = check_component(Sound())
        assert statuses(report)["check_references"] == "advice"
        assert report.passed

    def test_on_failure_is_raise_or_report(self):
        with pytest.raises(ConfigError, match="'raise' or 'report', got 'ignore'"):
            check_component(Sound(), on_failure="ignore")

    def test_checks_neither_depend_on_torchs_generator_nor_move_it(self):
        torch.manual_seed(3)
        state = torch.get_rng_state()
        reports = [check_component(with_members(module=Short)(), on_failure="report")]
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(4)
        reports.append(check_component(with_members(module=Short)(), on_failure="report"))
        assert reports[0] == reports[1]

    def test_no_two_checks_of_a_kind_have_one_name_and_each_has_a_rule_in_a_sentence(self):
        for config in (*CORE, TinySubnet(), Sound()):
            asked = list(checks(config))
            names = [check.__name__ for check in asked]
            assert sorted(set(names)) == sorted(names)
            for check in asked:
                rule = check.__doc__.split("\n")[0]
                assert rule.endswith(".") and len(rule) > 20, check


class TestExpectedFailures:
    def test_one_that_fails_is_expected_and_passes_the_component(self):
        report = check_component(
            with_members(module=Short)(), expected_failures={"check_shape": "one column is missing"}
        )
        (result,) = (result for result in report.results if result.status == "expected")
        assert report.passed and result.check == "check_shape"
        assert result.found.endswith("got (7,) (expected: one column is missing)")

    def test_one_that_passes_after_all_fails(self):
        with pytest.raises(ConformanceError, match="check_rows: it passes, but was expected to fail: rows are mixed"):
            check_component(Sound(), expected_failures={"check_rows": "rows are mixed"})

    def test_advice_may_be_expected_too(self):
        report = check_component(Sound(), expected_failures={"check_references": "no paper"})
        assert statuses(report)["check_references"] == "expected"

    def test_a_name_that_is_no_check_is_refused_with_a_close_one(self):
        with pytest.raises(ConfigError, match="no check 'check_shapes' is asked here; did you mean 'check_shape'"):
            check_component(Sound(), expected_failures={"check_shapes": "never"})
        with pytest.raises(ConfigError, match="no check 'xyz' is asked here\nChecks: check_class, check_compile, "):
            parametrize_conformance([Sound()], expected_failures={"xyz": "never"})

    @pytest.mark.parametrize("reason", ["", " ", None, 1])
    def test_a_reason_is_required(self, reason):
        with pytest.raises(ConfigError, match="say why 'check_rows' fails"):
            check_component(Sound(), expected_failures={"check_rows": reason})


TOYS = '''
from typing import ClassVar

import numpy as np
from sbicore.config import SimulatorConfig, frozen
from sbicore.testing import parametrize_conformance
from sbicore.testing.toys import TinySubnet


@frozen(kw_only=True)
class Toy(SimulatorConfig):
    """A simulator."""

    name: ClassVar[str] = "toy"
    references: ClassVar = TinySubnet.references

    def build(self):
        return self

    def sample(self, n, *, seed=None):
        return {"x": np.random.default_rng(seed).normal(size=(n, 1))}


@frozen(kw_only=True)
class Unpublished(Toy):
    """Without references."""

    name: ClassVar[str] = "unpublished"
    references: ClassVar = ()


@frozen(kw_only=True)
class Constant(Toy):
    """Ignores its seed."""

    name: ClassVar[str] = "constant"

    def sample(self, n, *, seed=None):
        return super().sample(n, seed=1)


@parametrize_conformance([Toy, Toy()])
def test_sound(component, check):
    check(component)


@parametrize_conformance([Unpublished()])
def test_advised(component, check):
    check(component)


@parametrize_conformance([Unpublished()], expected_failures={"check_references": "no paper"})
def test_advice_expected(component, check):
    check(component)


@parametrize_conformance([Constant()])
def test_failing(component, check):
    check(component)


@parametrize_conformance([Constant()], expected_failures={"check_seed": "constant"})
def test_expected(component, check):
    check(component)


@parametrize_conformance([Toy()], expected_failures={"check_seed": "constant"})
def test_strict(component, check):
    check(component)
'''


class TestParametrized:
    def test_outcomes_of_pytest(self, pytester):
        pytester.makepyfile(test_toys=TOYS)
        found = pytester.runpytest_subprocess("-rA", "-p", "no:cacheprovider")
        lines = found.outlines
        names = {name: outcome for outcome, name in re.findall(r"^(\w+) test_toys.py::(\S+)", "\n".join(lines), re.M)}
        assert names["test_sound[toy0-check_seed]"] == names["test_sound[toy1-check_seed]"] == "PASSED"
        failed = [name for name, outcome in names.items() if outcome == "FAILED"]
        assert failed == ["test_failing[constant-check_seed]", "test_strict[toy-check_seed]"]
        expected = [name for name, outcome in names.items() if outcome == "XFAIL"]
        assert sorted(expected) == [
            "test_advice_expected[unpublished-check_references]",
            "test_expected[constant-check_seed]",
        ]
        found.stdout.fnmatch_lines_random(
            [
                "*ConformanceWarning: 'unpublished', check_references: references is empty, *",
                "E * sbicore.errors.ConformanceError: 'constant' fails check_seed: another seed gives the same data",
                "E * 'toy' fails check_seed: it passes, but was expected to fail: constant",
            ]
        )
        assert not any("_runner.py" in line or "_simulator_checks.py" in line for line in lines)

    def test_advice_is_an_error_where_warnings_are(self, pytester):
        pytester.makepyfile(test_toys=TOYS)
        found = pytester.runpytest_subprocess("-W", "error", "-k", "test_advised", "-p", "no:cacheprovider")
        assert found.parseoutcomes()["failed"] == 1
        found.stdout.fnmatch_lines(["FAILED test_toys.py::test_advised?unpublished-check_references? *"])

    def test_checks_that_find_nothing_to_look_at_are_skipped(self):
        mark = parametrize_conformance([Normal()])
        (case,) = (case for case in mark.args[1] if case.id == "normal-check_requirements")
        component, check = case.values
        with pytest.raises(pytest.skip.Exception, match="this is the core"):
            check(component)

    def test_needs_configs(self):
        with pytest.raises(ConfigError, match="needs at least one config, got none"):
            parametrize_conformance([])
        with pytest.raises(InvalidComponentError, match="got 'mlp'"):
            parametrize_conformance(["mlp"])


def test_the_kit_needs_neither_pytest_nor_torch_for_what_it_says_about_configs():
    code = (
        "import sys, sbicore.testing as t; from types import SimpleNamespace as N; "
        "list(t.checks(N(kind='simulator'))); list(t.checks(N(kind='none'))); "
        "print({'torch', 'pytest'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")


@pytest.mark.parametrize(
    ("home", "test"),
    [
        ("config", "_configs"),
        ("installation", "_installation"),
        ("module", "_subnets"),
        ("subnet", "_subnets"),
        ("summary", "_summaries"),
        ("schedule", "_schedules"),
        ("integrator", "_integrators"),
        ("stochastic", "_stochastic"),
        ("rule", "_rules"),
        ("propriety", "_rules"),
        ("distribution", "_distributions"),
        ("simulator", "_distributions"),
    ],
)
def test_every_check_is_seen_to_fail(home, test):
    text = Path(__file__).with_name(f"test_conformance{test}.py").read_text("utf-8")
    asked = import_module(f"sbicore.testing._{home}_checks").CHECKS
    assert [check.__name__ for check in asked if f'"{check.__name__}"' not in text] == []


def test_toys_are_listed_and_loaded_when_asked():
    assert set(sbicore.testing.__all__) <= set(dir(sbicore.testing)) | {"BrownianPath"}
    with pytest.raises(AttributeError, match="has no attribute 'BrownianPaths'"):
        sbicore.testing.BrownianPaths  # noqa: B018
