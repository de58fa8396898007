"""What a component says about itself: hyperparameters, shapes, references."""

from __future__ import annotations

import inspect
from typing import Any

import attrs

from . import _index, config as _config
from ._kinds import kind_of
from .registry import guess_kind, resolve

__all__ = ["describe"]

_FACTS = ("uses_time", "layout", "compiles", "order", "adaptive", "stochastic", "denoises", "approximator")


def describe(name: str, *, kind: str | None = None) -> dict[str, Any]:
    """Everything a config class says about itself, as plain values, without importing torch.

    Keys: name, kind, class, distribution, version, doc, capabilities, facts (such as `uses_time`),
    shapes (the contract of its kind), hyperparameters, presets, references.

    Raises:
        UnknownComponentError and the other plugin errors, as `configure`.
    """
    found = resolve(name, kind=kind or guess_kind(name))
    value = f"{found.__module__}:{found.__qualname__}"
    entry = next(iter(_index.entries(found.kind, name)), None)
    return {
        "name": found.name,
        "kind": found.kind,
        "class": value,
        "distribution": entry.distribution if entry else None,
        "version": entry.version if entry else None,
        "doc": inspect.cleandoc(found.__doc__ or ""),
        "capabilities": sorted(found.capabilities),
        "facts": {fact: getattr(found, fact) for fact in _FACTS if hasattr(found, fact)},
        "shapes": kind_of(found.kind).shapes_of(getattr(found, "layout", None)),
        "hyperparameters": [_describe_field(field) for field in attrs.fields(found)],
        "presets": {name: preset.to_dict() for name, preset in getattr(found, "presets", {}).items()},
        "references": [str(reference) for reference in found.references],
    }


def _describe_field(field: attrs.Attribute[Any]) -> dict[str, Any]:
    facts = {key: value for key, value in field.metadata.items() if key not in {"doc", "type", "options_class"}}
    required = field.default is attrs.NOTHING
    return {
        "name": field.alias or field.name,
        "type": field.metadata.get("type", "value"),
        "required": required,
        "default": None if required else _config._plain(field.default),
        "doc": field.metadata.get("doc", ""),
        **facts,
    }
