"""`sbicore new-plugin`: what it writes is installed as its author would, tested, checked and used."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from environments import install, make_environment, run
from layers import ROOT

pytestmark = pytest.mark.packaging

KINDS = sorted({path.name for path in (ROOT / "sbicore" / "_scaffold" / "templates").iterdir()} - {"every_kind"})
NAMES = {kind: f"acme-{kind.replace('_', '-')}" for kind in KINDS}
PACKAGING = {"check_installed", "check_lazy", "check_requirements", "check_imports", "check_typed"}
each_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A folder with a new plugin of each kind, and the Python of one environment in which all are installed."""
    folder = tmp_path_factory.mktemp("workshop")
    python = make_environment(folder / "environment", "sbicore[testing]", "ruff", "setuptools>=77")
    for kind, name in NAMES.items():
        run(python, "-m", "sbicore", "new-plugin", f"sbicore-{name}", "--kind", kind, cwd=folder)
    editable = [word for name in NAMES.values() for word in ("-e", str(folder / f"sbicore-{name}"))]
    install(python, "--no-build-isolation", *editable)
    return folder, python


@pytest.fixture(scope="module")
def done(workshop):
    """What each plugin's own tests print, by kind; as many run at once as there are cores."""
    folder, python = workshop
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {
            kind: pool.submit(run, python, "-m", "pytest", "-q", "-W", "error", f"sbicore-{name}", cwd=folder)
            for kind, name in NAMES.items()
        }
        yield lambda kind: jobs[kind].result().stdout


@pytest.fixture(scope="module")
def reports(workshop):
    """Status and report of `sbicore check`, by kind; one process, for the import of torch takes longest."""
    folder, python = workshop
    names = [name.replace("-", "_") for name in NAMES.values()]
    code = f"from sbicore.cli import main\nfor name in {names}: print(main(['check', name, '--json']), end='\\0')"
    reports = [printed.rpartition("\n") for printed in run(python, "-c", code, cwd=folder).stdout.split("\0")[:-1]]
    return {kind: (int(status), json.loads(text)) for kind, (text, _, status) in zip(NAMES, reports, strict=True)}


@each_kind
def test_its_own_tests_pass(done, kind):
    assert " passed" in done(kind)


@each_kind
def test_it_conforms_without_pytest(reports, kind):
    status, (report,) = reports[kind]
    assert status == 0
    statuses = {result["check"]: result["status"] for result in report["results"]}
    assert report["kind"] == kind
    assert set(statuses.values()) <= {"passed", "skipped"}
    assert {statuses[check] for check in PACKAGING} == {"passed"}


def test_each_readme_runs_and_prints_nothing(workshop):
    folder, python = workshop
    examples = {}
    for name in NAMES.values():
        readme = (folder / f"sbicore-{name}" / "README.md").read_text("utf-8")
        (examples[name],) = re.findall(r"```python\n(.+?)```", readme, re.DOTALL)
    code = f"for name, text in {examples!r}.items(): exec(compile(text, f'README of {{name}}', 'exec'), {{}})"
    assert run(python, "-W", "error", "-c", code, cwd=folder).stdout == ""


def test_all_together_are_what_the_environment_has(workshop):
    folder, python = workshop
    run(python, "-m", "pip", "check", cwd=folder)
    rows = json.loads(run(python, "-m", "sbicore", "plugins", "--json", cwd=folder).stdout)
    found = {row["kind"]: row["state"] for row in rows if row["distribution"].startswith("sbicore-acme-")}
    assert found == dict.fromkeys(KINDS, "ok")


def test_the_linter_and_the_formatter_have_nothing_to_say(workshop):
    folder, python = workshop
    for name in NAMES.values():
        plugin = folder / f"sbicore-{name}"
        run(python, "-m", "ruff", "check", ".", cwd=plugin)
        run(python, "-m", "ruff", "check", "--isolated", ".", cwd=plugin)
        run(python, "-m", "ruff", "format", "--check", ".", cwd=plugin)
