"""`sbicore plugins`: what is installed, from metadata alone."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("plugins", help="list installed components")
    parser.add_argument("--kind", help="only this kind, e.g. subnet")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table."""
    from ..registry import plugins

    rows = plugins(options.kind)
    if options.json:
        print(json.dumps(rows, indent=2))
        return 0
    if not rows:
        print("Nothing of this kind is installed.")
        return 0
    cells = [(r["kind"], r["name"], f"{r['distribution']} {r['version']}".strip(), r["state"]) for r in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    for row in cells:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
    return 0
