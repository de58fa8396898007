"""The checks of the package that a component comes in, on packages that are installed for one test only."""

from __future__ import annotations

import importlib
import re
import sys

import pytest

from sbicore import _extensions, _index
from sbicore.config import frozen
from sbicore.testing import check_component, checks

CONFIG = """
from typing import TYPE_CHECKING, ClassVar

import attrs

from sbicore.config import SimulatorConfig, frozen

if TYPE_CHECKING:
    import pandas


@frozen(kw_only=True)
class Dice(SimulatorConfig):
    '''Dice.'''

    name: ClassVar[str] = "dice"

    def build(self):
        from .simulator import Simulator

        return Simulator()
"""

SIMULATOR = """
import json

import numpy as np


class Simulator:
    def sample(self, n, *, seed=None):
        return {"x": np.random.default_rng(seed).uniform(size=(n, 1))}
"""

PACKAGE = ("check_installed", "check_lazy", "check_requirements", "check_imports", "check_unique", "check_typed")
REQUIRES = ("sbicore>=0.1,<1", "attrs", "numpy>=1.24")
FILES = {"__init__.py": "from .config import Dice\n", "config.py": CONFIG, "simulator.py": SIMULATOR, "py.typed": ""}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """`install(requires=..., files=...)` puts the package `acme_dice` of `acme-dice` on the path; gives its config."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(requires=REQUIRES, files=None, point="dice = acme_dice:Dice", group="sbicore.simulators"):
        info = tmp_path / "acme_dice-1.0.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", "Name: acme-dice", "Version: 1.0", *(f"Requires-Dist: {r}" for r in requires)]
        (info / "METADATA").write_text("\n".join([*lines, "Provides-Extra: plots", ""]))
        (info / "entry_points.txt").write_text(f"[{group}]\n{point}\n")
        for name, text in changed() if files is None else files:
            file = tmp_path / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        importlib.invalidate_caches()
        _index.rescan()
        return importlib.import_module("acme_dice").Dice()

    yield make
    for name in [name for name in sys.modules if name.partition(".")[0] == "acme_dice"]:
        del sys.modules[name]
    _index.rescan()
    _extensions.manager.cache_clear()


def changed(**files):
    """The files of the package, some with another text, some left out."""
    names = {name.replace("_dot_", "."): text for name, text in files.items()}
    return [(f"acme_dice/{name}", text) for name, text in {**FILES, **names}.items() if text is not None]


TORCH = CONFIG.replace("import attrs", "import attrs\nimport torch")
IN_EXAMPLES = CONFIG + "\n    @classmethod\n    def examples(cls):\n        import pytest\n        return (cls(),)\n"

BROKEN = {
    "torch where the config is": (
        {"files": changed(config_dot_py=TORCH), "requires": [*REQUIRES, "torch"]},
        "check_lazy",
        "they import torch",
    ),
    "torch in the package": (
        {"files": changed(__init___dot_py="import torch\nfrom .config import Dice\n")},
        "check_lazy",
        "they import torch",
    ),
    "pytest in the examples": ({"files": changed(config_dot_py=IN_EXAMPLES)}, "check_lazy", "they import pytest"),
    "needs what a test suite has imported": (
        {
            "files": changed(
                config_dot_py="import sys\nif 'pytest' not in sys.modules: raise OSError('not here')\n" + CONFIG
            )
        },
        "check_lazy",
        "in a new process: OSError: not here",
    ),
    "undeclared import": (
        {"files": changed(simulator_dot_py=f"import tqdm\nfrom scipy.stats import norm\n{SIMULATOR}")},
        "check_imports",
        r"acme-dice does not require what it imports: scipy in acme_dice/simulator.py; tqdm in acme_dice/simulator.py",
    ),
    "undeclared import in a function": (
        {"files": changed(simulator_dot_py=SIMULATOR + "\n    def plot(self):\n        import matplotlib.pyplot\n")},
        "check_imports",
        "matplotlib in acme_dice/simulator.py",
    ),
    "core not required": ({"requires": ["attrs", "numpy"]}, "check_requirements", "acme-dice does not require sbicore"),
    "core only with an extra": (
        {"requires": ["sbicore[testing]>=0.1,<1", "attrs", "numpy"]},
        "check_requirements",
        "acme-dice does not require sbicore",
    ),
    "no lower bound": ({"requires": ["sbicore<1", "attrs"]}, "check_requirements", "sbicore<1 has no lower bound"),
    "no upper bound": (
        {"requires": ["sbicore>=0.1", "attrs"]},
        "check_requirements",
        "sbicore>=0.1 has no upper bound",
    ),
    "another name": ({"point": "coins = acme_dice:Dice"}, "check_installed", "'coins', the config's name 'dice'"),
}


def test_a_sound_package_passes(install):
    report = check_component(install())
    found = {result.check: result.status for result in report.results}
    assert {found[name] for name in PACKAGE} == {"passed"}


@pytest.mark.parametrize(("given", "check", "found"), BROKEN.values(), ids=BROKEN)
def test_broken_packages_are_caught(given, check, found, install, verdict):
    result = verdict(install(**given), check)
    assert result.status == "failed"
    assert re.search(found, result.found), result.found


def test_a_package_without_types_is_advised(install, verdict):
    result = verdict(install(files=changed(py_dot_typed=None)), "check_typed")
    assert (result.status, result.found) == ("advice", "acme_dice has no py.typed among its package data")


@pytest.mark.parametrize("bound", ["sbicore~=0.1", "sbicore==0.1.*", "sbicore (>=0.1,<1)", "SBICORE>=0.1,<1"])
def test_bounds_may_be_written_in_other_ways(bound, install, verdict):
    assert verdict(install(requires=[bound]), "check_requirements").status == "passed"


def test_an_extra_is_a_declaration(install, verdict):
    files = changed(simulator_dot_py=SIMULATOR + "\n    def plot(self):\n        import matplotlib.pyplot\n")
    config = install(files=files, requires=[*REQUIRES, 'matplotlib; extra == "plots"'])
    assert verdict(config, "check_imports").status == "passed"


@pytest.mark.parametrize(
    ("main", "beside", "status"),
    [
        ("if __name__ == '__main__':\n    print(x)\n", [("acme_dice/helper.py", "x = 1")], "passed"),
        ("if __name__ == '__main__':\n    print(x)\n", [], "failed"),
        ("", [("acme_dice/helper.py", "x = 1")], "failed"),
    ],
)
def test_a_script_alone_may_import_what_lies_beside_it(main, beside, status, install, verdict):
    files = [*changed(), ("acme_dice/script.py", f"from helper import x\n{main}"), *beside]
    assert verdict(install(files=files), "check_imports").status == status


def test_a_single_file_is_looked_at_and_not_what_lies_beside_it(install, verdict):
    alone = CONFIG.replace("from .simulator import Simulator", "from acme_dice import Simulator") + SIMULATOR
    config = install(files=[("acme_dice.py", alone), ("other.py", "import tqdm"), ("py.typed", "")])
    assert verdict(config, "check_imports").status == "passed"
    assert verdict(config, "check_lazy").status == "passed"
    assert "acme_dice is a single file" in verdict(config, "check_typed").found


def test_a_package_that_prints_is_told_from_one_that_imports_torch(install, verdict):
    config = install(files=changed(config_dot_py=CONFIG + "\nprint('hello')\n"))
    assert verdict(config, "check_lazy").found == "importing it prints 'hello'"


def test_a_name_that_another_distribution_has_is_advised(install, verdict, tmp_path):
    config = install()
    info = tmp_path / "zeta_dice-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: zeta-dice\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[sbicore.simulators]\ndice = acme_dice.config:Dice\n")
    _index.rescan()
    result = verdict(config, "check_unique")
    assert (result.status, result.found) == ("advice", "zeta-dice does, too")


def test_a_class_that_no_package_provides_is_not_asked_about_one(install):
    config = install()
    other = frozen(kw_only=True)(type("Loaded", (type(config),), {"__doc__": "Dice."}))()
    asked, asked_less = ([check.__name__ for check in checks(item)] for item in (config, other))
    assert set(asked) - set(asked_less) == set(PACKAGE)
