"""Configs: names checked at every depth, folded arguments, the saved form."""

from __future__ import annotations

import inspect
import json
from typing import Any, ClassVar

import attrs
import pytest

import sbicore
from sbicore.config import InferenceNetworkConfig, Options, SubnetConfig, SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError, InvalidComponentError, NotBuiltError, UnknownHyperparameterError
from sbicore.fields import choice, component, flag, integer, mapping, number, numbers, options, sizes, text


@frozen(kw_only=True)
class Inner(SubnetConfig):
    name: ClassVar[str] = "toy_inner"

    widths: tuple[int, ...] = sizes((8, 8), doc="Widths.")
    rate: float = number(0.5, ge=0.0, doc="Rate.")


@frozen(kw_only=True)
class Needy(SubnetConfig):
    name: ClassVar[str] = "toy_needy"
    positional: ClassVar[str | None] = "mode"

    mode: str = choice(options=("a", "b"), doc="Mode.")
    size: int = integer(doc="Size.")

    @classmethod
    def examples(cls):
        return (cls("a", size=1),)


@frozen(kw_only=True)
class Solver(Options):
    steps: int = integer(10, ge=1, doc="Steps.")


@frozen(kw_only=True)
class Outer(InferenceNetworkConfig):
    name: ClassVar[str] = "toy_outer"

    subnet: Any = component("subnet", "toy_inner", doc="Subnet.")
    spare: Any = component("subnet", None, optional=True, doc="Another.")
    integrate_kwargs: Solver = options(Solver, doc="Solver.")
    flag: bool = flag(False, doc="Flag.")
    note: str | None = text(None, optional=True, doc="Note.")
    loc: Any = numbers(0.0, doc="Location.")
    table: Any = mapping({}, doc="Table.")


@frozen(kw_only=True)
class Holder(InferenceNetworkConfig):
    name: ClassVar[str] = "toy_holder"

    subnet: Any = component("subnet", doc="Subnet.")


@pytest.fixture(autouse=True)
def _registered():
    with sbicore.registered(Inner, Needy, Outer, Holder):
        yield


class TestNames:
    def test_misspelt_hyperparameter_names_the_nearest(self):
        with pytest.raises(UnknownHyperparameterError) as caught:
            sbicore.configure("toy_outer", subnett="toy_inner")
        assert str(caught.value).split("\n")[0] == (
            "'toy_outer' has no hyperparameter 'subnett'; did you mean 'subnet'?"
        )
        assert caught.value.near == "subnet"
        assert isinstance(caught.value, (TypeError, ValueError))

    @pytest.mark.parametrize(
        ("arguments", "path"),
        [
            ({"subnet": {"name": "toy_inner", "width": [1]}}, "$.subnet"),
            ({"subnet_kwargs": {"width": [1]}}, "$.subnet"),
            ({"spare": Inner(), "spare_kwargs": {"width": [1]}}, "$.spare"),
            ({"subnet": Inner, "subnet_kwargs": {"width": [1]}}, "$.subnet"),
        ],
    )
    def test_misspelt_hyperparameter_of_a_component_is_located(self, arguments, path):
        with pytest.raises(UnknownHyperparameterError, match="did you mean 'widths'") as caught:
            Outer(**arguments)
        assert str(caught.value).split("\n")[0].endswith(f"@ {path}")

    def test_bad_values_are_located_at_any_depth(self):
        outer = {"name": "toy_outer", "subnet": {"name": "toy_inner", "widths": [64, 0]}}
        with pytest.raises(ConfigError, match=r"must be >= 1, got 0  @ \$\.subnet\.widths"):
            sbicore.configure(outer)

    def test_options_are_checked_like_hyperparameters(self):
        with pytest.raises(UnknownHyperparameterError, match=r"'step'; did you mean 'steps'\?  @ \$.integrate_kwargs"):
            Outer(integrate_kwargs={"step": 3})
        with pytest.raises(ConfigError, match=r"expected a mapping of options.*@ \$.integrate_kwargs"):
            Outer(integrate_kwargs=3)

    def test_unknown_component_inside_is_located(self):
        with pytest.raises(LookupError, match=r"no subnet named 'toy_iner'; did you mean 'toy_inner'\?  @ \$.subnet"):
            Outer(subnet="toy_iner")

    def test_component_of_another_kind_is_refused(self):
        with pytest.raises(
            InvalidComponentError, match=r"expected a subnet, got the inference network 'toy_outer'  @ \$.subnet"
        ):
            Outer(subnet=Outer())

    @pytest.mark.parametrize("value", [3, {"widths": [1]}, {"name": 3}])
    def test_component_must_be_named(self, value):
        with pytest.raises((InvalidComponentError, ConfigError), match=r"@ \$.subnet"):
            Outer(subnet=value)


class TestRequired:
    def test_required_hyperparameters_are_asked_for(self):
        with pytest.raises(ConfigError, match=r"'toy_needy' needs mode, size\nGive: mode=\.\.\."):
            Needy()

    def test_one_hyperparameter_may_be_positional(self):
        assert Needy("b", size=2) == Needy(mode="b", size=2)

    @pytest.mark.parametrize("make", [lambda: Needy("a", 1), lambda: Needy("a", mode="a"), lambda: Inner([8])])
    def test_other_positional_arguments_are_refused(self, make):
        with pytest.raises(ConfigError, match=r"takes (one positional argument, mode|keyword arguments only)"):
            make()

    def test_kwargs_of_a_missing_component_ask_for_the_component(self):
        with pytest.raises(ConfigError, match="'toy_holder' needs subnet"):
            Holder(subnet_kwargs={"rate": 1.0})

    def test_signature_shows_the_hyperparameters(self):
        assert list(inspect.signature(Inner).parameters) == ["widths", "rate"]


class TestFolding:
    @pytest.mark.parametrize(
        "arguments",
        [
            {"subnet": "toy_inner", "subnet_kwargs": {"rate": 1}},
            {"subnet": {"name": "toy_inner", "rate": 1}},
            {"subnet": {"name": "toy_inner"}, "subnet_kwargs": {"rate": 1}},
            {"subnet": Inner(rate=1)},
            {"subnet": Inner(), "subnet_kwargs": {"rate": 1}},
            {"subnet": Inner, "subnet_kwargs": {"rate": 1}},
            {"subnet_kwargs": {"rate": 1}},
            {"subnet": Inner(rate=1), "subnet_kwargs": None},
        ],
    )
    def test_every_way_to_write_a_component_makes_the_same_config(self, arguments):
        assert Outer(**arguments) == Outer(subnet=Inner(rate=1.0))

    def test_kwargs_are_not_stored(self):
        assert "subnet_kwargs" not in Outer(subnet_kwargs={"rate": 1}).to_dict()

    @pytest.mark.parametrize(
        ("subnet", "extra", "twice"),
        [
            ({"name": "toy_inner", "rate": 1}, {"rate": 2}, "rate"),
            ("toy_inner", {"name": "toy_needy"}, "name"),
        ],
    )
    def test_a_value_given_twice_is_refused(self, subnet, extra, twice):
        with pytest.raises(ConfigError, match=rf"{twice} given twice, in subnet and in subnet_kwargs  @ \$.subnet"):
            Outer(subnet=subnet, subnet_kwargs=extra)

    def test_kwargs_must_be_a_mapping(self):
        with pytest.raises(ConfigError, match=r"expected a mapping, got 3  @ \$.subnet_kwargs"):
            Outer(subnet_kwargs=3)

    def test_kwargs_need_a_component_to_change(self):
        with pytest.raises(ConfigError, match="spare_kwargs cannot change NoneType"):
            Outer(spare_kwargs={"rate": 1})

    def test_kwargs_of_something_else_are_unknown(self):
        with pytest.raises(UnknownHyperparameterError, match="flag_kwargs"):
            Outer(flag_kwargs={})

    def test_replace_folds_into_the_component_that_is_there(self):
        changed = Outer(subnet=Inner(widths=[4])).replace(subnet_kwargs={"rate": 1})
        assert changed.subnet == Inner(widths=[4], rate=1)


class TestSavedForm:
    @pytest.fixture(
        params=[
            lambda: Inner(widths=[3]),
            lambda: Needy("b", size=2),
            lambda: Outer(),
            lambda: Outer(
                subnet=Inner(rate=2),
                spare=Needy("a", size=1),
                integrate_kwargs={"steps": 3},
                flag=True,
                note="é",
                loc=[[1, 2]],
                table={"b": [1, {"c": None}], "a": True},
            ),
        ]
    )
    def config(self, request):
        return request.param()

    def test_json_gives_back_an_equal_config(self, config):
        again = sbicore.configure(**json.loads(json.dumps(config.to_dict())))
        assert again == config
        assert hash(again) == hash(config)
        assert again.to_dict() == config.to_dict()

    def test_every_hyperparameter_is_written(self, config):
        assert set(config.to_dict()) == {"name", *(field.name for field in attrs.fields(type(config)))}

    def test_config_is_frozen(self, config):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            config.anything = 1

    def test_replace_checks_and_leaves_the_original(self):
        inner = Inner()
        assert inner.replace(rate=2) == Inner(rate=2)
        assert inner == Inner()
        with pytest.raises(UnknownHyperparameterError, match="did you mean 'rate'"):
            inner.replace(rat=2)

    def test_configs_differ_by_value_and_by_class(self):
        assert Inner(rate=1) != Inner(rate=2)
        assert len({Inner(rate=1), Inner(rate=1.0), Inner(rate=2)}) == 2


class TestConfigure:
    @pytest.mark.parametrize("given", ["toy_inner", {"name": "toy_inner"}, Inner(), Inner])
    def test_anything_that_names_a_component_is_understood(self, given):
        assert sbicore.configure(given, rate=3) == Inner(rate=3)

    def test_the_kind_may_be_stated(self):
        assert sbicore.configure("toy_inner", kind="subnet") == Inner()
        with pytest.raises(LookupError, match="no summary network named 'toy_inner'; 'toy_inner' is a subnet"):
            sbicore.configure("toy_inner", kind="summary_network")
        with pytest.raises(ConfigError, match=r"no kind of component named 'subnets'; did you mean 'subnet'\?\nKinds"):
            sbicore.configure("toy_inner", kind="subnets")


class TestWithoutModule:
    @pytest.mark.parametrize("method", ["sample", "log_prob", "fit"])
    def test_a_network_config_says_how_to_get_a_network(self, method):
        with pytest.raises(NotBuiltError, match=r"sbicore.build\('toy_outer'\).fit"):
            getattr(Outer(), method)

    def test_any_other_attribute_is_missing_as_usual(self):
        with pytest.raises(AttributeError, match="'Outer' object has no attribute 'nothing'"):
            _ = Outer().nothing

    def test_a_config_without_build_is_named(self):
        @frozen(kw_only=True)
        class Blank(SummaryNetworkConfig):
            name: ClassVar[str] = "blank"

        with pytest.raises(InvalidComponentError, match="Blank does not say how it is built"):
            Blank().build(None)
