"""`sbicore check NAME`: the conformance checks, without pytest."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
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
    from ._names import components_of

    reports = []
    for component in components_of(options.name, options.kind, everything=options.all):
        for report in _reports(component):
            reports.append(report)
            if not options.json:
                print(f"{report}\n", flush=True)
    if options.json:
        print(json.dumps([_plain(report) for report in reports], indent=2))
    else:
        print(_summary(reports))
    return int(not all(report.passed for report in reports))


def _reports(component: Any) -> Iterator[Any]:
    """Of each example; one that says why, where there are none to check."""
    from ..errors import SbicoreError
    from ..registry import resolve
    from ..testing import check_component, examples_of

    try:
        examples = examples_of(resolve(component.name, kind=component.kind))
    except SbicoreError as error:
        from ..testing import Report, Result

        rule = "The component can be loaded, and makes its examples."
        result = Result("load", "failed", rule, " ".join(str(error).split()))
        yield Report(component.name, component.kind, "not loaded", (result,))
        return
    for config in examples:
        yield check_component(config, on_failure="report")


def _plain(report: Any) -> dict[str, Any]:
    results = [result._asdict() for result in report.results]
    return {**report._asdict(), "passed": report.passed, "results": results}


def _summary(reports: list[Any]) -> str:
    failed = [f"{report.name} ({', '.join(r.check for r in report.failures)})" for report in reports if report.failures]
    count = sum(len(report.results) for report in reports)
    if failed:
        return f"{count} checks, and these fail: {'; '.join(failed)}"
    return f"{count} checks, none fails"
