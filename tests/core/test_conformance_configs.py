"""The checks of configs catch each way to be wrong."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import pytest

from sbicore.config import SimulatorConfig, frozen
from sbicore.fields import component, integer
from sbicore.testing import TinySubnet


@frozen(kw_only=True)
class Sound(SimulatorConfig):
    """A simulator."""

    name: ClassVar[str] = "sound"


def with_members(**members: Any) -> Any:
    return frozen(kw_only=True)(type("Toy", (Sound,), {"__doc__": "A simulator.", **members}))


@pytest.fixture
def broken(verdict):
    def ask(config, check, found):
        result = verdict(config, check)
        assert result.status == "failed"
        assert re.match(found, result.found), result.found

    return ask


def test_undecorated_class(broken):
    broken(type("Bare", (Sound,), {})(), "check_class", "Bare is not decorated")


def test_no_examples(broken):
    config = with_members(examples=classmethod(lambda cls: ()))()
    broken(config, "check_class", r"examples\(\) is empty")


def test_examples_of_another_class(broken):
    config = with_members(examples=classmethod(lambda cls: (TinySubnet(),)))()
    broken(config, "check_class", r"examples\(\) is \(TinySubnet")


@pytest.mark.parametrize("name", ["Sound", "my-subnet", "2d", ""])
def test_name_that_cannot_be_typed(name, broken):
    broken(with_members(name=name)(), "check_names", f"name is {name!r}")


def test_capabilities_that_are_no_frozenset_of_words(broken):
    broken(with_members(capabilities={"masks"})(), "check_names", "capabilities are .'masks'")
    broken(with_members(capabilities=frozenset({1}))(), "check_names", r"capabilities are frozenset\(\{1\}\)")


def test_config_that_changes(broken):
    changing = with_members(size=integer(1, doc="Size."))
    changing.__setattr__ = object.__setattr__
    broken(changing(), "check_frozen", "size could be set")


def test_config_without_hash(broken):
    config = with_members(size=integer(1, doc="Size."), __hash__=lambda self: hash([]))()
    broken(config, "check_frozen", "TypeError: unhashable")


def test_undocumented_hyperparameter_and_class(broken):
    broken(with_members(size=integer(1, doc=""))(), "check_documented", "no doc= for size")
    broken(with_members(__doc__=" ")(), "check_documented", "the class has no docstring")


def test_lossy_saved_form(broken):
    config = with_members(size=integer(1, doc="Size."), to_dict=lambda self: {"name": "sound"})(size=2)
    broken(config, "check_round_trip", r"got Toy\(size=1\)")


def test_saved_form_that_is_not_json(broken):
    config = with_members(to_dict=lambda self: {"name": "sound", "size": {1, 2}})()
    broken(config, "check_round_trip", "TypeError: Object of type set is not JSON")


def test_equal_configs_of_different_hashes(broken):
    config = with_members(size=integer(1, doc="Size."), __hash__=lambda self: id(self))()
    broken(config, "check_round_trip", "equal configs have different hashes")


def test_swallowed_misspelling(broken):
    swallow = classmethod(lambda cls, **kwargs: type.__call__(cls))
    broken(with_members(from_kwargs=swallow)(), "check_unknown_key", "not_a_hyperparameter=1 was accepted")


def test_reference_that_is_none(verdict):
    result = verdict(with_members(references=("Smith 2020",))(), "check_references")
    assert (result.status, result.found) == ("advice", "not a Reference: ['Smith 2020']")


def test_a_toy_inside_a_config_is_found_again(verdict):
    config = with_members(subnet=component("subnet", TinySubnet(width=3), doc="Inner."))()
    assert verdict(config, "check_round_trip").status == "passed"
