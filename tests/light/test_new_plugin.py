"""`sbicore new-plugin`: names, refusals, what is written and what is said. All without torch."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from sbicore import cli
from sbicore._kinds import KINDS
from sbicore._scaffold import names, project

LOADED = """
import importlib, json, sys
import attrs
facts = {}
for package, name in json.loads(sys.argv[1]).items():
    sys.path.insert(0, f"sbicore-{name}/src")
    (exported,) = importlib.import_module(package).__all__
    config = getattr(importlib.import_module(package), exported)
    for example in config.examples():
        example.to_dict()
    fields = [field.name for field in attrs.fields(config)]
    facts[config.kind] = {"name": config.name, "class": config.__name__, "fields": fields}
print(json.dumps([facts, "torch" in sys.modules]))
"""


@pytest.fixture
def new_plugin(tmp_path, monkeypatch, capsys):
    """Run the command in an empty folder: status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        try:
            status = cli.main(["new-plugin", *arguments])
        except SystemExit as stop:
            status = stop.code
        return (status, *capsys.readouterr())

    return run


def files_of(folder):
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def toml(folder):
    """pyproject.toml as lines without spaces around."""
    return [line.strip() for line in (Path(folder) / "pyproject.toml").read_text("utf-8").splitlines()]


class TestFiles:
    def test_a_subnet_is_these_files(self, new_plugin):
        assert new_plugin("sbicore-gated-mlp", "--kind", "subnet")[0] == 0
        assert files_of("sbicore-gated-mlp") == [
            ".gitignore",
            "CHANGELOG.md",
            "LICENSE",
            "README.md",
            "pyproject.toml",
            "src/sbicore_gated_mlp/__init__.py",
            "src/sbicore_gated_mlp/config.py",
            "src/sbicore_gated_mlp/module.py",
            "src/sbicore_gated_mlp/py.typed",
            "tests/test_conformance.py",
            "tests/test_gated_mlp.py",
        ]
        assert os.listdir() == ["sbicore-gated-mlp"]

    def test_there_is_a_template_of_each_kind(self):
        folder = Path(project.__file__).with_name("templates")
        assert sorted(os.listdir(folder)) == sorted(["every_kind", *KINDS])

    @pytest.mark.parametrize("kind", KINDS)
    def test_nothing_of_the_templates_is_left(self, new_plugin, kind):
        assert new_plugin("sbicore-acme", "--kind", kind)[0] == 0
        for path in files_of("sbicore-acme"):
            assert not re.search(r"PACKAGE|NAME|dot_|tmpl", path)
            text = Path("sbicore-acme", path).read_text("utf-8")
            assert "$" not in text
            assert path == "src/sbicore_acme/py.typed" or text.endswith("\n")
            if path.endswith(".py"):
                ast.parse(text)
                assert "from __future__ import annotations" in text or path.startswith("tests") or "__init__" in path

    @pytest.mark.parametrize("kind", KINDS)
    def test_torch_is_imported_by_one_file_of_the_package_at_most(self, new_plugin, kind):
        new_plugin("sbicore-acme", "--kind", kind)
        package = Path("sbicore-acme", "src", "sbicore_acme")
        importing = [
            path.name for path in package.glob("*.py") if re.search(r"^(from|import) torch", path.read_text(), re.M)
        ]
        assert importing == ([] if kind == "simulator" else ["module.py"])

    def test_configs_of_all_kinds_load_without_torch_and_readmes_name_every_field(self, new_plugin):
        plugins = {f"sbicore_acme_{kind}": f"acme-{kind.replace('_', '-')}" for kind in KINDS}
        for kind, name in zip(KINDS, plugins.values(), strict=True):
            assert new_plugin(f"sbicore-{name}", "--kind", kind)[0] == 0
        done = subprocess.run([sys.executable, "-c", LOADED, json.dumps(plugins)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        facts, torch = json.loads(done.stdout)
        assert not torch
        assert [(kind, found["name"]) for kind, found in facts.items()] == [(kind, f"acme_{kind}") for kind in KINDS]
        for kind, name in zip(KINDS, plugins.values(), strict=True):
            readme = Path(f"sbicore-{name}", "README.md").read_text("utf-8")
            assert re.findall(r"^## (.+)", readme, re.M) == ["Install", "Use", "Shapes", "Hyperparameters", "Reference"]
            table = readme.partition("## Hyperparameters")[2]
            assert re.findall(r"^\| `(\w+)`", table, re.M) == facts[kind]["fields"]


class TestMetadata:
    def test_entry_point_core_bounds_and_dependencies(self, new_plugin, monkeypatch):
        monkeypatch.setattr(project, "core_version", lambda: "1.4.2")
        monkeypatch.setattr(project, "core_requirements", lambda: {"torch": "torch>=2.4"})
        new_plugin("sbicore-gated-mlp", "--kind", "subnet", "--class", "GatedMLP")
        lines = toml("sbicore-gated-mlp")
        assert 'dependencies = ["sbicore>=1.4,<2", "torch>=2.4"]' in lines
        at = lines.index('[project.entry-points."sbicore.subnets"]')
        assert lines[at + 1] == 'gated_mlp = "sbicore_gated_mlp:GatedMLP"'

    @pytest.mark.parametrize(
        ("running", "bounds"), [("0.1.0", ">=0.1,<1"), ("2.0.0rc1", ">=2.0.0rc1,<3"), ("2.1.3.dev1", ">=2.1,<3")]
    )
    def test_bounds_admit_the_running_core(self, new_plugin, monkeypatch, running, bounds):
        monkeypatch.setattr(project, "core_version", lambda: running)
        new_plugin("sbicore-acme", "--kind", "simulator")
        assert any(f'"sbicore{bounds}"' in line for line in toml("sbicore-acme"))

    @pytest.mark.parametrize(
        ("kind", "packages"),
        [("simulator", ["sbicore", "numpy"]), ("inference_network", ["sbicore", "sbicore-mlp", "torch"])],
    )
    def test_only_what_the_code_needs_is_required(self, new_plugin, kind, packages):
        new_plugin("sbicore-acme", "--kind", kind)
        (line,) = [line for line in toml("sbicore-acme") if line.startswith("dependencies")]
        assert [re.match(r"[\w-]+", item)[0] for item in json.loads(line.partition(" = ")[2])] == packages

    def test_mit_with_the_author(self, new_plugin):
        new_plugin("sbicore-acme", "--kind", "subnet", "--author", 'Ana "Nía" Lagos')
        assert 'license = "MIT"' in toml("sbicore-acme")
        assert r'authors = [{ name = "Ana \"Nía\" Lagos" }]' in toml("sbicore-acme")
        assert re.search(
            r'^Copyright \(c\) \d{4} Ana "Nía" Lagos$', Path("sbicore-acme/LICENSE").read_text("utf-8"), re.M
        )

    def test_without_an_author_the_authors_of_the_package_hold_the_rights(self, new_plugin):
        new_plugin("sbicore-acme", "--kind", "subnet")
        assert "the authors of sbicore-acme" in Path("sbicore-acme/LICENSE").read_text("utf-8")
        assert not any(line.startswith("authors") for line in toml("sbicore-acme"))

    def test_no_license_where_none_is_wanted(self, new_plugin):
        new_plugin("sbicore-acme", "--kind", "subnet", "--license", "none")
        assert not Path("sbicore-acme/LICENSE").exists()
        assert not any("license" in line for line in toml("sbicore-acme"))


class TestNames:
    @pytest.mark.parametrize(
        ("distribution", "package", "component", "cls"),
        [
            ("sbicore-gated-mlp", "sbicore_gated_mlp", "gated_mlp", "GatedMlp"),
            ("gated-mlp", "gated_mlp", "gated_mlp", "GatedMlp"),
            ("sbicore-rk3", "sbicore_rk3", "rk3", "Rk3"),
            ("sbicore-a-1b", "sbicore_a_1b", "a_1b", "A1b"),
        ],
    )
    def test_they_follow_from_the_distribution(self, new_plugin, distribution, package, component, cls):
        assert new_plugin(distribution, "--kind", "subnet")[0] == 0
        assert f'{component} = "{package}:{cls}"' in toml(distribution)
        assert f"class {cls}(SubnetConfig):" in Path(distribution, "src", package, "config.py").read_text("utf-8")

    @pytest.mark.parametrize(
        ("distribution", "instead"),
        [
            ("sbicore-1abc", "sbicore-abc"),
            ("Sbicore-Foo", "sbicore-foo"),
            ("sbicore-", "sbicore-my-plugin"),
            ("sbicore_foo", "sbicore-foo"),
            ("sbicore--foo", "sbicore-foo"),
            ("../evil", "sbicore-evil"),
            ("/etc/evil", "sbicore-etc-evil"),
            ("two words", "sbicore-two-words"),
            ("sbicore-größe", "sbicore-grosse"),
            ("日本", "sbicore-my-plugin"),
            ("a\nb", "sbicore-a-b"),
            ("", "sbicore-my-plugin"),
            ("sbicore-" + "x" * 100, "sbicore-" + "x" * 32),
            ("class", "sbicore-my-class"),
            ("json", "sbicore-my-json"),
            ("winreg", "sbicore-my-winreg"),
            ("torch", "sbicore-my-torch"),
            ("attrs", "sbicore-my-attrs"),
            ("sbicore", "sbicore-my-sbicore"),
        ],
    )
    def test_what_cannot_be_one_is_refused_with_one_that_would_do(self, new_plugin, tmp_path, distribution, instead):
        status, out, err = new_plugin(distribution, "--kind", "subnet")
        assert (status, out) == (1, "")
        assert err.startswith("ConfigError: ")
        assert err.endswith(f"This would do: {instead}\n")
        assert err.count("\n") <= 3
        assert list(tmp_path.iterdir()) == []
        assert new_plugin(instead, "--kind", "subnet")[0] == 0

    @pytest.mark.parametrize("class_name", ["gated", "Gated_MLP", "Größe", "None", "Warning", "Shapes", ""])
    def test_what_cannot_be_the_class_is_refused(self, new_plugin, tmp_path, class_name):
        status, _, err = new_plugin("sbicore-acme", "--kind", "subnet", "--class", class_name)
        assert status == 1
        assert "--class " in err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("kind", "class_name"),
        [
            ("inference_network", "TinySubnet"),
            ("integrator", "Parts"),
            ("scoring_rule", "Tensor"),
            ("simulator", "Array"),
            ("noise_schedule", "ConfigError"),
        ],
    )
    def test_a_class_that_would_hide_another_name_of_the_code_is_refused(self, new_plugin, tmp_path, kind, class_name):
        _, _, err = new_plugin("sbicore-acme", "--kind", kind, "--class", class_name)
        assert err.startswith(f"ConfigError: The plugin's own code needs the name {class_name}.\n")
        assert list(tmp_path.iterdir()) == []

    def test_a_name_that_the_tests_need_is_refused(self, new_plugin):
        assert "own tests need the name conformance" in new_plugin("sbicore-conformance", "--kind", "subnet")[2]

    @pytest.mark.parametrize("author", ["", " ", "a\nb"])
    def test_an_author_has_a_name(self, new_plugin, author):
        assert new_plugin("sbicore-acme", "--kind", "subnet", "--author", author)[0] == 1

    def test_an_unknown_kind_is_refused_with_a_close_one(self, new_plugin):
        status, _, err = new_plugin("sbicore-acme", "--kind", "noise-schedule")
        assert status == 1
        assert "did you mean 'noise_schedule'?" in err


class TestTaken:
    def test_an_installed_component_of_this_kind_is_named_with_its_distribution(self, new_plugin, fake_distribution):
        fake_distribution("acme")
        status, _, err = new_plugin("sbicore-wave", "--kind", "subnet")
        assert status == 1
        assert err.startswith("ConfigError: acme has a subnet named 'wave' already.\n")
        assert "AmbiguousComponentError" in err

    def test_a_first_party_component_need_not_be_installed(self, new_plugin, monkeypatch):
        monkeypatch.setattr("sbicore._index.entries", lambda *_: [])
        assert "sbicore-mlp has a subnet named 'time_mlp'" in new_plugin("time-mlp", "--kind", "subnet")[2]

    def test_another_kind_may_have_the_name_and_check_is_told_the_kind(self, new_plugin, fake_distribution):
        fake_distribution("acme")
        status, out, _ = new_plugin("sbicore-wave", "--kind", "simulator")
        assert status == 0
        assert out.splitlines()[-1].strip() == "sbicore check wave --kind simulator"

    def test_a_class_of_the_same_namespace_is_taken(self, new_plugin, fake_distribution):
        fake_distribution("acme")
        _, _, err = new_plugin("sbicore-waves", "--kind", "summary_network", "--class", "Wave")
        assert err.startswith("ConfigError: sbicore.networks.Wave is the subnet 'wave' of acme already.\n")
        assert new_plugin("sbicore-waves", "--kind", "simulator", "--class", "Wave")[0] == 0

    def test_a_distribution_that_is_installed_or_required_is_taken_even_without_such_a_package(
        self, new_plugin, fake_distribution, monkeypatch
    ):
        info = fake_distribution("acme", points="[console_scripts]\nacme = acme:main\n")
        (info.parent / "acme.py").unlink()
        monkeypatch.setattr(names, "core_requirements", lambda: {"not-here": "not-here>=1"})
        for name in ("acme", "not-here"):
            assert "is the package of a distribution" in new_plugin(name, "--kind", "simulator")[2]

    def test_a_module_that_can_be_imported_is_taken(self, new_plugin, tmp_path, monkeypatch):
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "acme_tools.py").touch()
        monkeypatch.syspath_prepend(tmp_path / "site")
        status, _, err = new_plugin("acme-tools", "--kind", "simulator")
        assert status == 1
        assert "acme_tools is a package that is installed, in " in err

    def test_a_folder_of_the_same_name_beside_is_no_package(self, new_plugin, tmp_path, monkeypatch):
        (tmp_path / "acme_tools").mkdir()
        monkeypatch.syspath_prepend(tmp_path)
        assert new_plugin("acme-tools", "--kind", "simulator")[0] == 0


class TestWriting:
    def test_an_existing_folder_is_left_as_it_is(self, new_plugin):
        Path("sbicore-acme").mkdir()
        status, out, err = new_plugin("sbicore-acme", "--kind", "subnet")
        assert (status, out) == (1, "")
        assert err.startswith("FileExistsError: sbicore-acme exists and is left as it is\n")
        assert files_of(".") == []

    def test_an_existing_file_or_dangling_link_is_left_as_it_is(self, new_plugin):
        Path("sbicore-file").write_text("mine")
        Path("sbicore-link").symlink_to("nowhere")
        for name in ("sbicore-file", "sbicore-link"):
            assert f"{name} exists and is left as it is" in new_plugin(name, "--kind", "subnet")[2]
        assert Path("sbicore-file").read_text() == "mine"
        assert sorted(os.listdir()) == ["sbicore-file", "sbicore-link"]

    @pytest.mark.parametrize(("stop", "expected"), [(KeyboardInterrupt, 130), (OSError("disk full"), 1)])
    def test_an_interrupted_run_leaves_nothing(self, new_plugin, monkeypatch, tmp_path, stop, expected):
        write, written = Path.write_text, []

        def failing(path, *arguments, **options):
            written.append(path)
            if len(written) == 5:
                raise stop
            return write(path, *arguments, **options)

        monkeypatch.setattr(Path, "write_text", failing)
        assert new_plugin("sbicore-acme", "--kind", "subnet")[0] == expected
        assert len(written) == 5
        assert list(tmp_path.iterdir()) == []

    def test_a_folder_that_cannot_be_written_to_is_named(self, new_plugin, monkeypatch):
        def refuse(*_, **__):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(tempfile, "mkdtemp", refuse)
        status, _, err = new_plugin("sbicore-acme", "--kind", "subnet", "--in", "..")
        assert (status, err) == (
            1,
            "PermissionError: .. cannot be written to\nGive a folder that is there with --in.\n",
        )

    @pytest.mark.parametrize("folder", ["nowhere", "file"])
    def test_the_folder_above_must_be_there(self, new_plugin, folder):
        Path("file").touch()
        status, _, err = new_plugin("sbicore-acme", "--kind", "subnet", "--in", folder)
        assert status == 1
        assert f"Error: {folder} is not a folder\n" in err
        assert os.listdir() == ["file"]

    def test_the_new_folder_has_the_usual_permissions(self, new_plugin, tmp_path):
        (tmp_path / "usual").mkdir()
        new_plugin("sbicore-acme", "--kind", "subnet")
        assert Path("sbicore-acme").stat().st_mode == Path("usual").stat().st_mode


class TestOutput:
    def test_files_and_three_commands_are_printed(self, new_plugin):
        status, out, err = new_plugin("sbicore-gated-mlp", "--kind", "subnet")
        assert (status, err) == (0, "")
        head, _, tail = out.partition("\nNext:\n\n")
        assert [line.strip() for line in head.splitlines()[2:]] == files_of("sbicore-gated-mlp")
        assert [line.strip() for line in tail.splitlines()] == [
            "python -m pip install -e sbicore-gated-mlp",
            "python -m pytest sbicore-gated-mlp",
            "sbicore check gated_mlp",
        ]

    @pytest.mark.parametrize("absolute", [False, True])
    def test_commands_lead_to_the_folder_that_was_given(self, new_plugin, tmp_path, absolute):
        Path("my plugins").mkdir()
        folder = tmp_path / "my plugins" if absolute else Path("my plugins")
        out = new_plugin("sbicore-acme", "--kind", "subnet", "--in", str(folder))[1]
        assert f"  python -m pip install -e '{folder / 'sbicore-acme'}'\n" in out
        assert f"  python -m pytest '{folder / 'sbicore-acme'}'\n" in out
        assert (tmp_path / "my plugins" / "sbicore-acme" / "pyproject.toml").exists()

    def test_without_pytest_the_first_command_installs_it(self, new_plugin, monkeypatch):
        monkeypatch.setattr("sbicore.cli.new_plugin.find_spec", lambda name: None)
        assert (
            "  python -m pip install -e 'sbicore-acme[testing]'\n" in new_plugin("sbicore-acme", "--kind", "subnet")[1]
        )

    def test_the_reference_page_shows_what_is_printed_and_lists_the_kinds(self, new_plugin):
        page = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text("utf-8")
        shown = page.partition("$ sbicore new-plugin sbicore-gated-mlp --kind subnet\n")[2].partition("```")[0]
        assert new_plugin("sbicore-gated-mlp", "--kind", "subnet")[1] == shown
        assert re.findall(r"^\| `(\w+)` \|", page.partition("| kind | what is written |")[2], re.M)[: len(KINDS)] == [
            *KINDS
        ]
