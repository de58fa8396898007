"""What a user gets: three fresh environments with the wheels of core, of two plugins, and of all."""

from __future__ import annotations

import json

import pytest
from environments import run
from wheels import distributions, wheels

pytestmark = pytest.mark.packaging

TINY = """
import numpy as np
import sbicore

rng = np.random.default_rng(0)
theta = rng.normal(size=(2000, 1))
data = {"theta": theta, "x": theta + 0.5 * rng.normal(size=(2000, 1))}
model = sbicore.build("flow_matching", inference_variables=["theta"], inference_conditions=["x"])
model.fit(data, epochs=15, batch_size=100, seed=1, progress=False)
draws = model.sample({"x": [1.0]}, 2000, seed=1, progress=False)["theta"]
assert draws.shape == (1, 2000, 1), draws.shape
assert abs(draws.mean() - 0.8) < 0.1, draws.mean()
assert abs(draws.std() - 0.2**0.5) < 0.1, draws.std()
"""

OURS = """
import json
from importlib import metadata

found = {d.name: d.read_text("direct_url.json") for d in metadata.distributions() if d.name.startswith("sbicore")}
print(json.dumps({name: json.loads(text or "{}").get("url") for name, text in found.items()}))
"""


def installed(python, folder):
    """Names of ours in an environment; each is the wheel that was just built."""
    found = json.loads(run(python, "-c", OURS, cwd=folder).stdout)
    assert found == {name: wheels()[name].as_uri() for name in found}
    return set(found)


@pytest.fixture(scope="module")
def core_alone(environment):
    return environment("sbicore")


@pytest.fixture(scope="module")
def two_plugins(environment):
    return environment("sbicore", "sbicore-mlp", "sbicore-flow-matching")


@pytest.fixture(scope="module")
def everything(environment):
    return environment("sbicore[all]")


class TestCoreAlone:
    def test_nothing_of_ours_but_core_is_there(self, core_alone, tmp_path):
        run(core_alone, "-m", "pip", "check", cwd=tmp_path)
        assert installed(core_alone, tmp_path) == {"sbicore"}

    def test_it_is_imported_without_torch(self, core_alone, tmp_path):
        run(core_alone, "-c", "import sbicore, sys; assert 'torch' not in sys.modules", cwd=tmp_path)

    def test_the_command_line_works(self, core_alone, tmp_path):
        sbicore, version = core_alone.with_name("sbicore"), wheels()["sbicore"].name.split("-")[1]
        assert run(sbicore, "--version", cwd=tmp_path).stdout == f"sbicore {version}\n"
        assert "tsit5" in run(sbicore, "plugins", cwd=tmp_path).stdout
        run(sbicore, "doctor", cwd=tmp_path)

    def test_an_absent_plugin_is_named_with_its_install_command(self, core_alone, tmp_path):
        code = "import sbicore; sbicore.build('flow_matching', inference_variables=['theta'])"
        done = run(core_alone, "-c", code, cwd=tmp_path, check=False)
        assert done.stderr.rstrip().endswith("pip install sbicore-flow-matching")


class TestTwoPlugins:
    def test_the_doctor_finds_nothing(self, two_plugins, tmp_path):
        assert installed(two_plugins, tmp_path) == {"sbicore", "sbicore-mlp", "sbicore-flow-matching"}
        run(two_plugins, "-m", "sbicore", "doctor", cwd=tmp_path)

    def test_a_small_problem_is_trained_and_sampled(self, two_plugins, tmp_path):
        run(two_plugins, "-c", TINY, cwd=tmp_path)

    def test_an_absent_plugin_is_named_with_its_install_command(self, two_plugins, tmp_path):
        for code in ("sbicore.simulators.TwoMoons", "sbicore.configure('two_moons', kind='simulator')"):
            done = run(two_plugins, "-c", f"import sbicore; {code}", cwd=tmp_path, check=False)
            assert "pip install sbicore-benchmarks" in done.stderr

    def test_an_unknown_name_brings_no_install_command(self, two_plugins, tmp_path):
        code = "import sbicore; sbicore.build('flow_machine', inference_variables=['theta'])"
        done = run(two_plugins, "-c", code, cwd=tmp_path, check=False)
        assert "flow_matching" in done.stderr
        assert "pip install" not in done.stderr


class TestAll:
    def test_the_extra_brings_every_plugin(self, everything, tmp_path):
        assert installed(everything, tmp_path) == set(distributions())
        run(everything, "-m", "pip", "check", cwd=tmp_path)

    def test_every_plugin_loads(self, everything, tmp_path):
        run(everything, "-m", "sbicore", "doctor", cwd=tmp_path)
        rows = json.loads(run(everything, "-m", "sbicore", "plugins", "--check", "--json", cwd=tmp_path).stdout)
        assert {row["state"] for row in rows} == {"ok"}
