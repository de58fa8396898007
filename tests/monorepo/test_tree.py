"""Invariants of the source tree: everything a reader would otherwise have to check by hand."""

from __future__ import annotations

import ast
import configparser
import importlib
import re
import statistics
import sys
from collections import Counter
from pathlib import Path

import catalogue
import pytest
from catalogue import PLUGINS, ROOT
from packaging.requirements import Requirement
from wheels import tracked

HOOKS = re.findall(r"^def (sbicore_.*):$", (ROOT / "sbicore" / "hookspecs.py").read_text("utf-8"), re.MULTILINE)
IMPORTED_AS = {"attr": "attrs", "ot": "pot", "sklearn": "scikit-learn"}

each_plugin = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
each_distribution = pytest.mark.parametrize("folder", [ROOT, *PLUGINS], ids=["sbicore", *(p.name for p in PLUGINS)])


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of the absolute imports of a file."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def bound_names(path: Path) -> set[str]:
    """Names that the top level of a file imports or defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            names.add(node.name)
    return names


class TestTop:
    def test_top_level_holds_only_what_the_house_names(self):
        allowed = {"pyproject.toml", "README.md", "sbicore", "plugins", "tests", "docs", "tox.ini", "LICENSE"}
        names = {path.relative_to(ROOT).parts[0] for path in tracked()}
        assert {name for name in names if not name.startswith(".")} <= allowed

    def test_ci_runs_the_test_command_of_the_readme(self):
        readme = (ROOT / "README.md").read_text("utf-8")
        block = re.search(r"Run the tests.*?\n```\w*\n(.+?)\n```", readme, re.DOTALL)
        assert block, "README.md needs a fenced block after a line with 'Run the tests'"
        assert set(block[1].splitlines()) <= set((ROOT / ".ci" / "run").read_text("utf-8").splitlines())

    @pytest.mark.parametrize("hook", HOOKS)
    def test_hook_is_documented_with_its_exact_signature(self, hook):
        assert f"\n## `{hook}`\n" in (ROOT / "docs" / "authors" / "hooks.md").read_text("utf-8")


class TestCore:
    def test_packages_are_the_folders_with_an_init(self):
        tomllib = catalogue.tomllib
        listed = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
        folders = (path.parent for path in (ROOT / "sbicore").rglob("__init__.py"))
        assert listed == sorted(".".join(folder.relative_to(ROOT).parts) for folder in folders)

    def test_entry_points_resolve_to_configs_of_that_name(self):
        for group, points in catalogue.project(ROOT)["entry-points"].items():
            for name, value in points.items():
                module, _, attribute = value.partition(":")
                found = getattr(importlib.import_module(module), attribute)
                assert (found.name, found.kind) == (name, catalogue.kinds()[group])

    @pytest.mark.parametrize("path", catalogue.GENERATED, ids=lambda path: path.name)
    def test_generated_files_are_up_to_date(self, path):
        assert path.read_text("utf-8") == catalogue.GENERATED[path](), "run: python tests/monorepo/catalogue.py"


class TestFiles:
    def test_files_are_short(self):
        lengths = {path: len(path.read_text("utf-8").splitlines()) for path in tracked() if path.suffix == ".py"}
        assert [str(path) for path, length in lengths.items() if length > 400] == []

    @pytest.mark.parametrize("folder", [ROOT / "sbicore", *(p / "src" for p in PLUGINS)], ids=lambda p: p.parent.name)
    def test_most_files_are_very_short(self, folder):
        assert statistics.median(len(path.read_text("utf-8").splitlines()) for path in sources(folder)) < 150


class TestTox:
    def test_environments_are_those_with_a_section_and_the_plugins(self):
        tox = configparser.ConfigParser(interpolation=None)
        tox.read(ROOT / "tox.ini")
        *named, listed = re.split(r",\s*(?![^{]*})", tox["tox"]["env_list"])
        assert listed == f"sbicore-{{{','.join(plugin.name.removeprefix('sbicore-') for plugin in PLUGINS)}}}"
        sections = {section.removeprefix("testenv:") for section in tox.sections() if section.startswith("testenv:")}
        assert sections == {*named, "slow", "generate"}


class TestNames:
    def test_no_two_distributions_register_the_same_name(self):
        found = Counter((row.kind, row.name) for folder in (ROOT, *PLUGINS) for row in catalogue.components(folder))
        assert [key for key, count in found.items() if count > 1] == []


class TestVersions:
    @each_distribution
    def test_version_is_the_top_of_the_changelog(self, folder):
        page = ROOT / "docs" / "changelog.md" if folder == ROOT else folder / "CHANGELOG.md"
        heading = re.search(r"^## (\S+)", page.read_text("utf-8"), re.MULTILINE)
        assert heading
        assert heading[1] == catalogue.project(folder)["version"]

    @each_distribution
    def test_requirements_have_a_lower_bound_and_ours_stay_within_a_major_version(self, folder):
        facts = catalogue.project(folder)
        versions = {project["name"]: project["version"] for project in map(catalogue.project, [ROOT, *PLUGINS])}
        extras = facts.get("optional-dependencies", {})
        for line in (line for lines in [facts["dependencies"], *extras.values()] for line in lines):
            requirement = Requirement(line)
            operators = {specifier.operator for specifier in requirement.specifier}
            if requirement.name not in versions:
                assert ">=" in operators, line
            elif not requirement.extras:
                assert operators == {">=", "<"}, line
                assert versions[requirement.name] in requirement.specifier, line

    def test_extras_of_core(self):
        extras = catalogue.project(ROOT)["optional-dependencies"]
        assert extras.keys() == {"all", "arviz", "disk", "mcmc", "quickstart", "testing"}
        assert [Requirement(line).name for line in extras["all"]] == [plugin.name for plugin in PLUGINS]


@each_plugin
class TestPlugin:
    def test_folder_is_named_as_the_project(self, plugin):
        facts = catalogue.project(plugin)
        assert facts["name"] == plugin.name
        assert [path.name for path in (plugin / "src").iterdir() if (path / "__init__.py").exists()] == [
            plugin.name.replace("-", "_")
        ]

    def test_entry_points_belong_to_known_kinds_and_name_classes_that_exist(self, plugin):
        for group, points in catalogue.project(plugin).get("entry-points", {}).items():
            assert group in {*catalogue.kinds(), "sbicore"}
            for value in points.values():
                module, _, attribute = value.partition(":")
                if not attribute:
                    assert (plugin / "src" / f"{module.replace('.', '/')}.py").exists()
                    continue
                assert attribute in bound_names(plugin / "src" / module.replace(".", "/") / "__init__.py")

    def test_core_is_required_and_its_testing_extra_for_the_tests(self, plugin):
        facts = catalogue.project(plugin)
        assert "sbicore" in {Requirement(line).name for line in facts["dependencies"]}
        assert "sbicore[testing]" in facts["optional-dependencies"]["testing"]

    def test_readme_types_and_tests_are_there(self, plugin):
        assert (plugin / "README.md").read_text("utf-8").strip()
        assert (plugin / "src" / plugin.name.replace("-", "_") / "py.typed").exists()
        assert list((plugin / "tests").glob("test_*.py"))

    def test_packages_are_all_listed(self, plugin):
        tomllib = catalogue.tomllib
        listed = tomllib.loads((plugin / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]["packages"]
        folders = (path.parent for path in (plugin / "src").rglob("__init__.py"))
        assert sorted(listed) == sorted(".".join(folder.relative_to(plugin / "src").parts) for folder in folders)

    def test_every_imported_package_is_a_dependency(self, plugin):
        declared = {re.split(r"[\s<>=!~;\[]", line)[0].lower() for line in catalogue.project(plugin)["dependencies"]}
        own = {plugin.name.replace("-", "_"), *sys.stdlib_module_names}
        peers = plugin / "src" / plugin.name.replace("-", "_") / "peers"  # run in environments of their own
        used = {name for path in sources(plugin / "src") if peers not in path.parents for name in imported(path)}
        needed = {IMPORTED_AS.get(name, name.replace("_", "-")) for name in used - own}
        assert needed <= declared
