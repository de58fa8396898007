"""What holds for every config; torch-free."""

from __future__ import annotations

import json
from typing import Any

import attrs

from ..errors import UnknownHyperparameterError
from ._require import require


def check_class(config: Any) -> None:
    """The class is decorated with `@frozen(kw_only=True)` and has examples: override `examples()` where needed."""
    require("__attrs_attrs__" in vars(type(config)), f"{type(config).__name__} is not decorated")
    examples = type(config).examples()
    require(examples, "examples() is empty")
    require(all(type(example) is type(config) for example in examples), f"examples() is {examples!r}")


def check_frozen(config: Any) -> None:
    """A config never changes and can be hashed; use the fields of `sbicore.fields`."""
    hash(config)
    try:
        config.new = 1
    except AttributeError:
        return
    raise AssertionError("an attribute could be set")


def check_round_trip(config: Any) -> None:
    """`to_dict()` written as JSON gives back an equal config."""
    saved = config.to_dict()
    rest = {key: value for key, value in json.loads(json.dumps(saved)).items() if key != "name"}
    again = type(config).from_kwargs(**rest)
    require(again == config, f"got {again!r}")
    require(hash(again) == hash(config), "equal configs have different hashes")


def check_documented(config: Any) -> None:
    """The class and each of its hyperparameters are documented."""
    bare = [field.name for field in attrs.fields(type(config)) if not field.metadata.get("doc")]
    require(not bare, f"no doc= for {', '.join(bare)}")
    require((type(config).__doc__ or "").strip(), "the class has no docstring")


def check_unknown_key(config: Any) -> None:
    """A hyperparameter that does not exist is an error, never ignored."""
    try:
        config.replace(not_a_hyperparameter=1)
    except UnknownHyperparameterError:
        return
    raise AssertionError("not_a_hyperparameter=1 was accepted")


CHECKS = (check_class, check_frozen, check_round_trip, check_documented, check_unknown_key)
