"""What is imported and how much processor time it takes, each measured in processes of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from os import times

import pytest

FOREIGN = """
import json, sys
before = set(sys.modules)
{code}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(json.dumps([sorted(new - set(sys.stdlib_module_names) - {{"sbicore"}}), {value}]))
"""

installed = importlib.util.find_spec("sbicore_flow_matching") and importlib.util.find_spec("sbicore_mlp")
needs_plugins = pytest.mark.skipif(not installed, reason="sbicore-flow-matching or sbicore-mlp is not installed")


@pytest.fixture
def python(tmp_path):
    """Run Python in an empty folder; its standard output."""

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    return run


@pytest.fixture
def foreign(python):
    """Top-level third-party packages that this code imports, and the value of an expression after it."""
    return lambda code, value="None": json.loads(python("-c", FOREIGN.format(code=code, value=value)))


def test_import_sbicore_imports_no_third_party_package_within_20_ms(foreign):
    code = "from time import process_time\nstart = process_time()\nimport sbicore\ntook = process_time() - start"
    runs = [foreign(code, "took") for _ in range(5)]
    assert all(packages == [] for packages, _ in runs)
    assert min(took for _, took in runs) < 0.020


def test_sbicore_plugins_takes_less_than_half_a_second(python):
    seconds = []
    for _ in range(3):
        before = times()
        python("-m", "sbicore", "plugins")
        after = times()
        seconds.append(sum(after[2:4]) - sum(before[2:4]))  # of children
    assert min(seconds) < 0.5


def test_sbicore_plugins_imports_neither_torch_nor_any_plugin(foreign):
    code = "import contextlib, io\nfrom sbicore.cli import main\n"
    packages, _ = foreign(f"{code}with contextlib.redirect_stdout(io.StringIO()): main(['plugins'])")
    assert set(packages) <= {"attr", "attrs", "packaging"}


@needs_plugins
def test_configure_imports_the_plugins_it_names_and_not_torch(foreign):
    packages, subnet = foreign(
        "import sbicore\nmade = sbicore.configure('flow_matching', subnet='time_mlp')",
        "made.to_dict()['subnet']['name']",
    )
    assert subnet == "time_mlp"
    extensions = {"sbicore_benchmarks"}
    assert set(packages) - extensions == {
        "attr",
        "attrs",
        "packaging",
        "pluggy",
        "sbicore_flow_matching",
        "sbicore_mlp",
    }


def test_no_config_of_any_installed_plugin_imports_torch(foreign):
    code = """
import sbicore
from sbicore.registry import resolve
rows = [row for row in sbicore.plugins() if row["state"] == "ok" and row["kind"] != "extension"]
made = [
    config.to_dict()
    for row in rows
    for config in resolve(row["distribution"] + "/" + row["name"], kind=row["kind"]).examples()
]
"""
    packages, count = foreign(code, "len(made)")
    assert count >= len(("euler", "midpoint", "heun", "rk4", "bosh3", "dopri5", "dopri8", "tsit5"))
    assert not {"torch", "torchdiffeq", "matplotlib", "scipy", "sklearn"} & set(packages)
