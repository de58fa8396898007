"""`sbicore check NAME`: the conformance checks, without pytest."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("check", help="run the conformance checks of a component")
    parser.add_argument("name", nargs="?", help="a component, e.g. mlp or distribution/name; or a distribution")
    parser.add_argument("--kind", help="kind of component, where the name alone is ambiguous")
    parser.add_argument("--all", action="store_true", help="all components of its distribution; without NAME, of all")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print a report for each component and each of its examples; 1 where a check fails."""
    if options.name is None and not options.all:
        print("sbicore check needs the name of a component or distribution, or --all", file=sys.stderr)
        return 2
    from ..testing import check_component
    from ._names import classes_of

    reports = []
    for component in classes_of(options.name, options.kind, everything=options.all):
        for config in component.examples():
            reports.append(check_component(config, on_failure="report"))
            if not options.json:
                print(f"{reports[-1]}\n", flush=True)
    if options.json:
        print(json.dumps([_plain(report) for report in reports], indent=2))
    else:
        print(_summary(reports))
    return int(not all(report.passed for report in reports))


def _plain(report: Any) -> dict[str, Any]:
    results = [result._asdict() for result in report.results]
    return {**report._asdict(), "passed": report.passed, "results": results}


def _summary(reports: list[Any]) -> str:
    failed = [f"{report.name} ({', '.join(r.check for r in report.failures)})" for report in reports if report.failures]
    count = sum(len(report.results) for report in reports)
    if failed:
        return f"{count} checks, and these fail: {'; '.join(failed)}"
    return f"{count} checks, none fails"
