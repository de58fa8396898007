"""What holds for every config; torch-free."""

from __future__ import annotations

import json
import re
from typing import Any

import attrs

from ..errors import UnknownHyperparameterError
from ..references import Reference
from ..registry import registered
from ._check import advised, decisive, require
from .toys import TinySubnet

_WORD = re.compile(r"[a-z][a-z0-9_]*")


@decisive
def check_class(config: Any) -> None:
    """The class is decorated with `@frozen`, its class facts are `ClassVar`s, and it has examples: see `examples()`."""
    require("__attrs_attrs__" in vars(type(config)), f"{type(config).__name__} is not decorated")
    facts = [field.name for field in attrs.fields(type(config)) if field.name in _class_facts(config)]
    require(not facts, f"{', '.join(facts)} would be a hyperparameter: annotate it as ClassVar[...]")
    examples = type(config).examples()
    require(examples, "examples() is empty")
    require(all(type(example) is type(config) for example in examples), f"examples() is {examples!r}")


def check_names(config: Any) -> None:
    """`name` is of lower-case letters, digits and underscores, and `capabilities` a frozenset of such words."""
    require(_WORD.fullmatch(config.name), f"name is {config.name!r}")
    words = config.capabilities
    fine = isinstance(words, frozenset) and all(isinstance(word, str) and _WORD.fullmatch(word) for word in words)
    require(fine, f"capabilities are {words!r}")


def check_frozen(config: Any) -> None:
    """A config never changes and can be hashed; use the fields of `sbicore.fields`."""
    hash(config)
    for name in (*(field.name for field in attrs.fields(type(config))), "new"):
        try:
            setattr(config, name, getattr(config, name, None))
        except AttributeError:
            continue
        raise AssertionError(f"{name} could be set")


def check_round_trip(config: Any) -> None:
    """`to_dict()` written as JSON gives back an equal config."""
    saved = config.to_dict()
    rest = {key: value for key, value in json.loads(json.dumps(saved)).items() if key != "name"}
    with registered(TinySubnet):
        again = type(config).from_kwargs(**rest)
    require(again == config, f"got {again!r}")
    require(hash(again) == hash(config), "equal configs have different hashes")


def check_documented(config: Any) -> None:
    """The class and each of its hyperparameters are documented."""
    fields = attrs.fields(type(config))
    foreign = [field.name for field in fields if "type" not in field.metadata]
    require(not foreign, f"{', '.join(foreign)}: declare it with a field of `sbicore.fields`")
    bare = [field.name for field in fields if not field.metadata.get("doc")]
    require(not bare, f"no doc= for {', '.join(bare)}")
    require((type(config).__doc__ or "").strip(), "the class has no docstring")


def check_unknown_key(config: Any) -> None:
    """A hyperparameter that does not exist is an error, never ignored."""
    try:
        config.replace(not_a_hyperparameter=1)
    except UnknownHyperparameterError:
        return
    raise AssertionError("not_a_hyperparameter=1 was accepted")


@advised
def check_references(config: Any) -> None:
    """`references` names a paper to cite, as `Reference(authors=..., title=..., year=..., arxiv=...)`."""
    require(config.references, "references is empty, so `sbicore cite` has nothing to say")
    strange = [item for item in config.references if not isinstance(item, Reference)]
    require(not strange, f"not a Reference: {strange}")


def _class_facts(config: Any) -> set[str]:
    """Names that the base of its kind annotates as class facts."""
    return {
        name
        for base in type(config).__mro__[1:]
        for name, annotation in vars(base).get("__annotations__", {}).items()
        if "ClassVar" in str(annotation)
    }


CHECKS = (
    check_class,
    check_names,
    check_frozen,
    check_round_trip,
    check_documented,
    check_unknown_key,
    check_references,
)
