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
    from ..registry import describe

    found = describe(options.name, kind=options.kind)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    print(f"{found['name']} ({found['kind'].replace('_', ' ')}): {found['class']}\n")
    print(found["doc"])
    if found["capabilities"]:
        print(f"\nCapabilities: {', '.join(found['capabilities'])}")
    if found["hyperparameters"]:
        print("\nHyperparameters:")
    for field in found["hyperparameters"]:
        default = "required" if field["required"] else f"default {json.dumps(field['default'])}"
        print(f"  {field['name']}: {_type(field)}, {default}")
        print(f"      {field['doc']}")
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
