"""`sbicore plugins`: what is installed, from metadata alone or with every plugin tried."""

from __future__ import annotations

import argparse
import json
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("plugins", help="list installed components")
    parser.add_argument("--kind", help="only this kind, e.g. subnet")
    parser.add_argument("--check", action="store_true", help="import each, in processes of their own")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the table; with `--check`, 1 where a plugin does not load."""
    from ..registry import plugins

    rows = plugins(options.kind)
    if options.check:
        from .._probe import probe

        rows = probe(rows)
    status = int(options.check and any(row["state"] not in {"ok", "disabled"} for row in rows))
    if options.json:
        print(json.dumps(rows, indent=2))
        return status
    if not rows:
        print("Nothing of this kind is installed.")
        return status
    cells = [(r["kind"], r["name"], f"{r['distribution']} {r['version']}".strip(), r["state"]) for r in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(3)]
    for row in cells:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
    return status
