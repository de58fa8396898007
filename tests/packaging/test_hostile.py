"""Hostile plugins, installed for real beside healthy ones, hurt only who asks for them."""

from __future__ import annotations

import json
import os

import environments
import pytest
from hostile import HOSTILE, write_wheel

pytestmark = pytest.mark.packaging

HEALTHY = ("sbicore", "sbicore-mlp", "sbicore-flow-matching")
BAD = [plugin for plugin in HOSTILE if plugin.error]

CONFIGURE = """
import sys
import sbicore
try:
    sbicore.build("flow_matching", subnet=sys.argv[1])
except sbicore.errors.SbicoreError as error:
    print(type(error).__name__, error)
else:
    print("built")
"""

TRAIN = """
import warnings
import numpy as np
import sbicore

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    model = sbicore.build(
        "flow_matching", subnet="time_mlp", subnet_kwargs={"widths": [8, 8]}, inference_variables=["theta"]
    )
    model.fit({"theta": np.random.default_rng(0).normal(size=(200, 2))}, epochs=1, progress=False, seed=1)
    print(model.sample(num_samples=3, seed=1, progress=False)["theta"].shape)
print(sorted({str(w.message) for w in caught if issubclass(w.category, sbicore.errors.PluginWarning)}))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The Python of an environment with three healthy and all hostile plugins."""
    folder = tmp_path_factory.mktemp("hostile")
    made = environments.make_environment(folder / "environment", *HEALTHY)
    wheels = [write_wheel(plugin, folder) for plugin in HOSTILE]
    environments.install(made, *map(str, wheels), dependencies=False)
    packages = next((folder / "environment").rglob("hostile_gone.py")).parent
    (packages / "hostile_gone.py").unlink()
    (packages / "hostile_headless-1.0.dist-info" / "METADATA").unlink()
    return made


def command(python, *arguments, check=True):
    return environments.run(python, "-m", "sbicore", *arguments, cwd=python.parent, check=check)


def by_name(rows):
    return {row["name"]: row for row in rows if row["distribution"].startswith("hostile")}


def test_all_are_listed_with_their_state_in_half_a_second(python):
    seconds = []
    for _ in range(3):
        before = os.times()
        done = command(python, "plugins", "--json")
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    found = by_name(json.loads(done.stdout))
    assert {name: row["state"] for name, row in found.items()} == {plugin.name: plugin.listed for plugin in HOSTILE}
    assert done.stderr == ""
    assert min(seconds) < 0.5


def test_a_healthy_one_builds_and_trains_beside_them(python):
    done = environments.run(python, "-c", TRAIN, cwd=python.parent)
    shape, warned = done.stdout.splitlines()
    assert shape == "(3, 2)"
    assert warned == "['extension hostile-watcher/watcher is left out: SystemExit: 4']"


@pytest.mark.parametrize("plugin", BAD, ids=lambda plugin: plugin.name)
def test_asking_for_a_bad_one_names_distribution_and_remedy(plugin, python):
    done = environments.run(python, "-W", "ignore", "-c", CONFIGURE, plugin.name, cwd=python.parent)
    assert done.stdout.startswith(f"{plugin.error} ")
    assert plugin.distribution in done.stdout
    assert plugin.remedy in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stdout.splitlines()) <= 3


def test_a_slow_one_works_and_says_what_it_cost(python):
    done = environments.run(python, "-c", CONFIGURE, "slow", cwd=python.parent)
    assert done.stdout == "built\n"
    assert "PluginWarning: importing hostile_slow:X of hostile-slow took 6." in done.stderr


def test_the_qualified_name_selects_one_of_two(python):
    done = environments.run(python, "-W", "ignore", "-c", CONFIGURE, "sbicore-mlp/mlp", cwd=python.parent)
    assert done.stdout == "built\n"


def test_doctor_explains_each_and_survives_them_all(python):
    done = command(python, "doctor", "--json", check=False)
    rows = by_name(json.loads(done.stdout)["plugins"])
    assert done.returncode == 1
    for plugin in HOSTILE:
        assert rows[plugin.name]["state"].startswith(plugin.found)
        assert plugin.distribution in rows[plugin.name]["advice"]


def test_check_of_the_list_tells_by_its_status(python):
    assert command(python, "plugins", "--check", check=False).returncode == 1
    assert command(python, "plugins", "--check", "--kind", "inference_network").returncode == 0
