"""What holds for every config; torch-free."""

from __future__ import annotations

import json
from typing import Any

import attrs

from .._kinds import kind_of
from ..errors import UnknownHyperparameterError


def check_class(config: Any) -> None:
    """The class is decorated with `@frozen(kw_only=True)` and states its name and a known kind."""
    assert "__attrs_attrs__" in vars(type(config)), f"{type(config).__name__} is not decorated"
    assert isinstance(config.name, str), f"its name is {config.name!r}"
    kind_of(config.kind)


def check_examples(config: Any) -> None:
    """`examples()` returns configs of the class; override it where fields are required."""
    examples = type(config).examples()
    assert examples, "there are none"
    assert all(type(example) is type(config) for example in examples), f"got {examples!r}"


def check_frozen(config: Any) -> None:
    """A config never changes and can be hashed; use the fields of `sbicore.fields`."""
    try:
        config.name = config.name
    except (attrs.exceptions.FrozenInstanceError, AttributeError):
        hash(config)
    else:
        raise AssertionError("an attribute could be set")


def check_round_trip(config: Any) -> None:
    """`to_dict()` written as JSON gives back an equal config."""
    saved = config.to_dict()
    rest = {key: value for key, value in json.loads(json.dumps(saved)).items() if key != "name"}
    again = type(config).from_kwargs(**rest)
    assert again == config, f"got {again!r}"
    assert hash(again) == hash(config), "equal configs have different hashes"
    assert again.to_dict() == saved, f"written again it is {again.to_dict()!r}"


def check_documented(config: Any) -> None:
    """The class and each of its hyperparameters are documented."""
    assert (type(config).__doc__ or "").strip(), "the class has no docstring"
    bare = [field.name for field in attrs.fields(type(config)) if not field.metadata.get("doc")]
    assert not bare, f"no doc= for {', '.join(bare)}"


def check_unknown_key(config: Any) -> None:
    """A hyperparameter that does not exist is an error, never ignored."""
    try:
        config.replace(not_a_hyperparameter=1)
    except UnknownHyperparameterError:
        return
    raise AssertionError("not_a_hyperparameter=1 was accepted")


CHECKS = (check_class, check_examples, check_frozen, check_round_trip, check_documented, check_unknown_key)
