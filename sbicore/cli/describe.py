"""`sbicore describe NAME`: what a component is and which hyperparameters it has."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add"]

_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "multiple_of": "multiple of"}


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("describe", help="describe a component")
    parser.add_argument("name", help="e.g. flow_matching, or distribution/name")
    parser.add_argument("--kind", help="kind of component, where the name alone is ambiguous")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the description."""
    from ..description import describe
    from ._names import require_component

    require_component(options.name, options.kind)
    found = describe(options.name, kind=options.kind)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    origin = f" of {found['distribution']} {found['version']}".rstrip() if found["distribution"] else ""
    print(f"{found['name']} ({found['kind'].replace('_', ' ')}{origin}): {found['class']}\n")
    print(found["doc"])
    print(f"\nShapes: {found['shapes']}")
    if found["capabilities"]:
        print(f"Capabilities: {', '.join(found['capabilities'])}")
    for name, value in found["facts"].items():
        print(f"{name.replace('_', ' ').capitalize()}: {json.dumps(value)}")
    if found["hyperparameters"]:
        print("\nHyperparameters:")
    for field in found["hyperparameters"]:
        default = "required" if field["required"] else f"default {json.dumps(field['default'])}"
        print(f"  {field['name']}: {_type(field)}, {default}")
        print(f"      {field['doc']}")
    if found["presets"]:
        print("\nPresets:")
    for name, preset in found["presets"].items():
        print(f"  {name}: for about {preset['simulations']:,} simulations")
        for part in ("network", "fit"):
            print(f"      {part}: {json.dumps(preset[part])}")
    if found["references"]:
        print("\nReferences:")
    for reference in found["references"]:
        print(f"  {reference}")
    return 0


def _type(field: dict[str, Any]) -> str:
    words = [field["type"]]
    if "kind" in field:
        words = [field["kind"].replace("_", " ")]
    if "options" in field:
        words = ["one of " + ", ".join(field["options"])]
    words += [f"{sign} {field[key]}" for key, sign in _BOUNDS.items() if key in field]
    words += [repr(word) for word in field.get("also", ())]
    return " or ".join([" ".join(words), *(["None"] if field.get("optional") else [])])
