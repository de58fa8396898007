"""The command `sbicore`: what it prints and which status it exits with."""

from __future__ import annotations

import json
import re
import sys

import pytest

import sbicore
from sbicore import cli

EXTENSION = """
from sbicore.hookspecs import hookimpl

@hookimpl
def sbicore_cli(commands):
    commands.add_parser("hello").set_defaults(run=lambda options: print("hello") or 3)
"""


CITED = """
from typing import Any, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.fields import component
from sbicore.references import Reference

WAVES = Reference(authors="Roe, Jane", title="On waves", year=2020, arxiv="2001.00001")


@frozen(kw_only=True)
class Wave(SubnetConfig):
    name: ClassVar[str] = "wave"
    references: ClassVar[tuple[Reference, ...]] = (WAVES,)


@frozen(kw_only=True)
class Boat(SubnetConfig):
    name: ClassVar[str] = "boat"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(authors="Doe, Ann and Roe, Jane", title="Boats", year=2001, doi="10.1/x"),
        WAVES,
    )
    inner: Any = component("subnet", "wave", doc="Inner.")
"""


@pytest.fixture
def sbicore_(capsys):
    """Run the command: status, standard output, standard error."""

    def run(*arguments):
        try:
            status = cli.main(arguments)
        except SystemExit as stop:
            status = stop.code
        out, err = capsys.readouterr()
        return status, out, err

    return run


class TestPlugins:
    def test_table_has_a_line_for_each_component(self, sbicore_, fake_distribution):
        fake_distribution("acme", version="2.5")
        status, out, err = sbicore_("plugins", "--kind", "subnet")
        assert (status, err) == (0, "")
        assert ["subnet", "wave", "acme", "2.5", "ok"] in [line.split() for line in out.splitlines()]

    def test_json_is_the_same_list(self, sbicore_, fake_distribution):
        fake_distribution("acme")
        status, out, _ = sbicore_("plugins", "--json")
        assert status == 0
        assert json.loads(out) == sbicore.plugins()

    def test_nothing_is_said_in_words(self, sbicore_):
        assert sbicore_("plugins", "--kind", "extension") == (0, "Nothing of this kind is installed.\n", "")

    def test_unknown_kind_is_an_error(self, sbicore_):
        status, out, err = sbicore_("plugins", "--kind", "subnets")
        assert (status, out) == (1, "")
        assert err.startswith("ConfigError: There is no kind of component named 'subnets'")


@pytest.fixture
def few(monkeypatch):
    """Only core and what a test installs are there: each distribution that is tried costs a process."""
    scan = sbicore._index._scan
    kept = {"sbicore", "acme", "broken"}
    monkeypatch.setattr(sbicore._index, "_scan", lambda: (entry for entry in scan() if entry.distribution in kept))


class TestPluginsCheck:
    def test_each_is_tried_and_the_status_tells(self, sbicore_, fake_distribution, few):
        fake_distribution("acme")
        assert sbicore_("plugins", "--check", "--kind", "subnet")[0] == 0
        sbicore._index.rescan()
        fake_distribution("broken", points="[sbicore.subnets]\nbad = broken:X\n", source="raise SystemExit(3)")
        status, out, _ = sbicore_("plugins", "--check", "--json")
        states = {row["name"]: row["state"] for row in json.loads(out)}
        assert (status, states["wave"], states["bad"]) == (1, "ok", "exits: SystemExit: 3")


class TestCite:
    def test_a_component_and_what_is_inside_it_are_cited_once(self, sbicore_, fake_distribution):
        fake_distribution("acme", points="[sbicore.subnets]\nwave = acme:Wave\nboat = acme:Boat\n", source=CITED)
        status, out, _ = sbicore_("cite", "boat", "--inner", "wave")
        assert status == 0
        assert re.findall(r"@\w+{(\w+)", out) == ["doe2001boats", "roe2020waves", "sbicore"]

    def test_without_a_name_sbicore_is_cited(self, sbicore_):
        status, out, _ = sbicore_("cite")
        assert (status, out.startswith("@software{sbicore,")) == (0, True)

    def test_a_part_that_it_does_not_have_is_wrong_usage(self, sbicore_, fake_distribution):
        fake_distribution("acme", source=CITED)
        status, _, err = sbicore_("cite", "wave", "--inner", "wave")
        assert status == 2
        assert "unrecognized arguments: --inner wave" in err


class TestCheck:
    def test_nothing_to_check_is_wrong_usage(self, sbicore_):
        status, _, err = sbicore_("check")
        assert (status, err) == (2, "sbicore check needs the name of a component or distribution, or --all\n")

    def test_unknown_name_is_an_error(self, sbicore_):
        status, _, err = sbicore_("check", "not_there_at_all")
        assert (status, err.split("\n")[0]) == (
            1,
            "UnknownComponentError: There is no component or distribution named 'not_there_at_all'",
        )

    def test_a_distribution_without_components_is_told_from_an_unknown_one(self, sbicore_):
        assert "The distribution 'pytest' has no components." in sbicore_("check", "pytest")[2]

    def test_what_cannot_be_loaded_is_a_failure_beside_the_others(self, sbicore_, fake_distribution):
        fake_distribution("acme", points="[sbicore.subnets]\nbad = acme:Bad\nworse = acme:Worse\n")
        status, out, _ = sbicore_("check", "acme", "--json")
        found = {row["name"]: row["results"][0]["found"] for row in json.loads(out)}
        assert (status, set(found)) == (1, {"acme/bad", "acme/worse"})
        assert found["acme/bad"].startswith("subnet 'bad' is provided by acme 1.0, which fails to import")


class TestDescribe:
    def test_hyperparameters_are_printed_with_type_bounds_default_and_doc(self, sbicore_, fake_distribution):
        fake_distribution("acme")
        status, out, _ = sbicore_("describe", "wave")
        assert status == 0
        assert out.startswith(
            "wave (subnet of acme 1.0): acme:Wave\n\nA toy.\n\n"
            "Shapes: (x (*, D), t (*), conditions (*, C)) -> (*, W)\nCapabilities: ripple\n"
        )
        assert "  depth: integer >= 1, default 1\n      Depth.\n" in out

    def test_json_is_the_description(self, sbicore_, fake_distribution):
        fake_distribution("acme")
        _, out, _ = sbicore_("describe", "acme/wave", "--kind", "subnet", "--json")
        assert json.loads(out) == sbicore.describe("wave")

    def test_unknown_component_is_an_error_without_a_traceback(self, sbicore_, fake_distribution):
        fake_distribution("acme")
        status, _, err = sbicore_("describe", "waev", "--kind", "subnet")
        assert status == 1
        assert err.startswith("UnknownComponentError: There is no subnet named 'waev'; did you mean 'wave'?")
        assert "Traceback" not in err


class TestDescribeDistribution:
    def test_a_distribution_is_told_with_its_components(self, sbicore_, fake_distribution):
        fake_distribution("acme")
        for command in ("describe", "cite"):
            assert "'acme' is a distribution, with wave" in sbicore_(command, "acme")[2]


class TestDoctor:
    @pytest.fixture(autouse=True)
    def _without_torch(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)

    def test_it_examines_the_machine_without_torch(self, sbicore_):
        status, out, _ = sbicore_("doctor")
        assert status == 0
        assert "torch: fails to import: ModuleNotFoundError" in out

    def test_json_holds_versions_machine_and_plugins(self, sbicore_, fake_distribution, few):
        fake_distribution("acme")
        _, out, _ = sbicore_("doctor", "--json")
        found = json.loads(out)
        assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
        assert found["machine"]["cores"] > 0
        assert [row["state"] for row in found["plugins"] if row["name"] == "wave"] == ["ok"]

    def test_plugin_that_does_not_load_is_named_and_the_status_tells(self, sbicore_, fake_distribution, few):
        fake_distribution("acme", source="import not_there_at_all")
        status, out, _ = sbicore_("doctor")
        assert status == 1
        assert "subnet wave (acme 1.0): fails to import: ModuleNotFoundError: No module named 'not_there_at" in out
        assert "      pip install --force-reinstall acme, or pip uninstall acme" in out

    def test_plugin_that_is_switched_off_is_no_failure(self, sbicore_, fake_distribution, monkeypatch, few):
        monkeypatch.setenv("SBICORE_DISABLE", "acme")
        fake_distribution("acme", source="import not_there_at_all")
        status, out, _ = sbicore_("doctor")
        assert status == 0
        assert "subnet wave (acme 1.0): disabled" in out


class TestUsage:
    def test_unknown_command_is_wrong_usage(self, sbicore_):
        status, _, err = sbicore_("plugin")
        assert status == 2
        assert "invalid choice: 'plugin'" in err

    def test_without_a_command_help_is_printed(self, sbicore_):
        status, out, _ = sbicore_()
        assert status == 2
        assert "plugins" in out

    def test_version(self, sbicore_):
        assert sbicore_("--version") == (0, f"sbicore {sbicore.__version__}\n", "")


class TestExtensions:
    def test_extension_adds_a_command_with_a_status_of_its_own(self, sbicore_, fake_distribution):
        fake_distribution("acme", points="[sbicore]\ncli = acme\n", source=EXTENSION)
        assert sbicore_("hello") == (3, "hello\n", "")

    def test_built_in_commands_do_not_load_extensions(self, sbicore_, fake_distribution):
        fake_distribution("acme", points="[sbicore]\ncli = acme\n", source="raise SystemExit(7)")
        assert sbicore_("plugins")[0] == 0

    def test_extension_that_fails_to_add_a_command_leaves_the_others(self, sbicore_, fake_distribution):
        fake_distribution("acme", points="[sbicore]\ncli = acme\n", source=EXTENSION)
        broken = EXTENSION.replace('commands.add_parser("hello")', "commands.nothing")
        fake_distribution("broken", points="[sbicore]\ncli = broken\n", source=broken)
        with pytest.warns(UserWarning, match="extension broken/cli is left out: AttributeError"):
            assert sbicore_("hello")[0] == 3
