"""The pages for authors say what the code says: signatures, class facts, fields, checks; and their plugin conforms.

Blocks marked `py` show signatures and are compared, those marked `python` are run by test_docs.
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import attrs
import contract_tables
import pytest
from sbicore_benchmarks import TwoMoons
from sbicore_flow_matching import FlowMatching
from sbicore_mlp import TimeMLP

from sbicore import config, distributions, fields, integrators, protocols, testing
from sbicore._kinds import KINDS
from sbicore.shapes import Shapes
from sbicore.testing import checks

ROOT = Path(__file__).resolve().parents[2]
AUTHORS = ROOT / "docs" / "authors"
PLUGIN = AUTHORS / "sbicore-sine"
INDEX = (AUTHORS / "index.md").read_text("utf-8")
CONTRACT = (AUTHORS / "contract.md").read_text("utf-8")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", CONTRACT, flags=re.MULTILINE)[1:]}
CONFIGS = [FlowMatching(), TimeMLP(), TwoMoons(), distributions.Normal(), integrators.Dopri5()]


def section(kind: str) -> str:
    return SECTIONS[kind.replace("_", " ").capitalize()]


def rows(text: str) -> dict[str, list[str]]:
    """The rows of all tables that start with names in code: the other cells by name."""
    found = {}
    for line in re.findall(r"^\| (`.*) \|$", text, re.MULTILINE):
        names, *cells = re.split(r" ?(?<!\\)\| ", line)
        found.update(dict.fromkeys(re.findall(r"`(.+?)`", names), cells))
    return found


def stubs(source: str) -> dict[str, str]:
    """Each class, in one way of writing: attributes and methods, without docstrings."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            lines = []
            for part in node.body:
                if isinstance(part, ast.FunctionDef):
                    lines.append(f"{part.name}({ast.unparse(part.args)}) -> {ast.unparse(part.returns)}")
                elif isinstance(part, ast.AnnAssign):
                    lines.append(ast.unparse(part))
            found[node.name] = "\n".join(lines)
    return found


def facts_of(base: type) -> dict[str, str]:
    """Class facts that a config base declares, with their defaults as they are written."""
    source = ast.parse(inspect.getsource(base)).body[0]
    return {
        part.target.id: "" if part.value is None else ast.unparse(part.value)
        for part in source.body
        if isinstance(part, ast.AnnAssign) and "ClassVar" in ast.unparse(part.annotation)
    }


class TestContract:
    def test_signatures_are_those_of_the_protocols(self):
        shown = stubs("\n".join(re.findall(r"^```py\n(.*?)^```$", CONTRACT, re.DOTALL | re.MULTILINE)))
        assert shown == stubs(inspect.getsource(protocols))

    @pytest.mark.parametrize("kind", KINDS)
    def test_each_kind_has_its_names(self, kind):
        row = KINDS[kind]
        assert f"\nBase `{row.base}`, entry-point group `{row.group}`.\n" in section(kind)
        assert f"class {row.protocol}(Protocol):" in section(kind)

    def test_checks_and_their_rules_are_those_of_the_kit(self):
        assert contract_tables.filled(CONTRACT) == CONTRACT, "run: python tests/monorepo/contract_tables.py"

    @pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.kind)
    def test_what_a_component_is_asked_is_on_the_page(self, config):
        assert {check.__name__ for check in checks(config)} <= rows(CONTRACT).keys()

    @pytest.mark.parametrize("kind", KINDS)
    def test_class_facts_are_those_of_the_base(self, kind):
        facts = {n: v for n, v in facts_of(getattr(config, KINDS[kind].base)).items() if n != "kind"}
        told = rows(section(kind))
        for name, default in facts.items():
            assert told[name][0].strip("`") == (default.replace("'", '"') or "none")

    def test_class_facts_of_every_config_are_told(self):
        told = rows(SECTIONS["Configs"])
        assert facts_of(config.Config).keys() | facts_of(config.Hyperparameters).keys() <= told.keys()

    def test_fields_and_their_arguments_are_those_of_the_module(self):
        told = {name: set(re.findall(r"\w+", cells[0])) for name, cells in rows(SECTIONS["Fields"]).items()}
        makers = {name: getattr(fields, name) for name in fields.__all__ if name != "FrozenMapping"}
        assert told == {
            name: {*inspect.signature(maker).parameters} - {"default", "doc"} for name, maker in makers.items()
        }

    def test_shapes_have_these_attributes(self):
        assert list(rows(SECTIONS["Shapes"])) == [field.name for field in attrs.fields(Shapes)]


class TestPages:
    def test_toys_are_those_of_the_kit(self):
        page = (AUTHORS / "conformance.md").read_text("utf-8")
        known = {"Report", "Result", "check_component", "checks", "examples_of", "parametrize_conformance"}
        assert set(testing.__all__) - known <= rows(page.partition("## Toys")[2]).keys()

    def test_statuses_are_those_of_the_kit(self):
        told = rows((AUTHORS / "conformance.md").read_text("utf-8").partition("## From")[0])
        assert told.keys() == {*re.findall(r"`(\w+)`", testing.Result.__doc__)}

    def test_what_is_called_public_is_there(self):
        told = rows((AUTHORS / "compatibility.md").read_text("utf-8"))
        assert all(import_module(name) for name in told if name.startswith("sbicore."))

    def test_plugins_import_nothing_that_is_not_called_public(self):
        told = rows((AUTHORS / "compatibility.md").read_text("utf-8"))
        files = [*ROOT.glob("plugins/sbicore-mlp/src/**/*.py"), *ROOT.glob("plugins/sbicore-flow-matching/src/**/*.py")]
        used = re.findall(
            r"^from (sbicore\.\S+) import", "\n".join(file.read_text("utf-8") for file in files), re.MULTILINE
        )
        assert set(used) <= told.keys()


class TestPlugin:
    """docs/authors/sbicore-sine, as it lies there."""

    def test_what_the_page_quotes_is_what_lies_there(self):
        quoted = re.findall(r"^```\w+\n# (\S+\.\w+)\n(.*?)^```$", INDEX, re.DOTALL | re.MULTILINE)
        assert dict(quoted) == {file: (PLUGIN / file).read_text("utf-8") for file, _ in quoted}
        assert "src/sbicore_sine/module.py" in dict(quoted)
        (metadata,) = re.findall(r"^```toml\n(.*?)^```$", INDEX, re.DOTALL | re.MULTILINE)
        assert {*metadata.splitlines()} <= {*(PLUGIN / "pyproject.toml").read_text("utf-8").splitlines()}

    def test_every_check_passes(self, installed):
        installed(PLUGIN)
        from sbicore_sine import SineMLP

        from sbicore.testing import check_component

        report = check_component(SineMLP())
        assert {result.status for result in report.results} == {"passed"}
