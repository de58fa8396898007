"""Plugins that do everything wrong, as wheels that pip installs."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

__all__ = ["HOSTILE", "Hostile", "write_wheel"]

WAVE = """
from typing import ClassVar
from sbicore.config import SubnetConfig, frozen

@frozen(kw_only=True)
class X(SubnetConfig):
    name: ClassVar[str] = {name!r}
"""


class Hostile(NamedTuple):
    """One of them: its module, what is listed of it, what `doctor` finds, and what `configure` raises."""

    name: str
    source: str
    listed: str
    found: str
    error: str
    remedy: str
    group: str = "sbicore.subnets"
    requires: str = ""

    @property
    def distribution(self) -> str:
        """The name pip knows it by."""
        return f"hostile-{self.name}"


HOSTILE = (
    Hostile(
        "raises",
        "raise ValueError('no')",
        "ok",
        "fails to import: ValueError: no",
        "BrokenPluginError",
        "pip install --force-reinstall hostile-raises",
    ),
    Hostile(
        "needs",
        "import not_there_at_all",
        "ok",
        "fails to import: ModuleNotFoundError",
        "BrokenPluginError",
        "The package 'not_there_at_all' is not installed",
    ),
    Hostile(
        "stops", "raise SystemExit(3)", "ok", "exits: SystemExit: 3", "BrokenPluginError", "report it to its authors"
    ),
    Hostile("slow", "import time; time.sleep(6)\n" + WAVE, "ok", "slow: not imported within 5 s", "", ""),
    Hostile("mlp", WAVE, "ambiguous", "ambiguous", "AmbiguousComponentError", "Choose one, e.g. 'hostile-mlp/mlp'"),
    Hostile(
        "old",
        "raise SystemExit",
        "incompatible: needs sbicore>=99",
        "incompatible: needs sbicore>=99",
        "IncompatiblePluginError",
        "pip install --upgrade hostile-old sbicore",
        requires="sbicore>=99",
    ),
    Hostile(
        "renamed",
        "Other = 1",
        "ok",
        "fails to import: AttributeError",
        "BrokenPluginError",
        "Its metadata and its files do not match. pip install --force-reinstall hostile-renamed",
    ),
    Hostile(
        "gone",
        "",
        "ok",
        "fails to import: ModuleNotFoundError",
        "BrokenPluginError",
        "Its files are gone. pip install --force-reinstall hostile-gone",
    ),
    Hostile("number", "X = 3", "ok", "invalid: ", "InvalidComponentError", "hostile_number:X of hostile-number"),
    Hostile(
        "headless",
        WAVE,
        "damaged: its METADATA are missing",
        "damaged: its METADATA are missing",
        "BrokenPluginError",
        "pip install --force-reinstall hostile-headless",
    ),
    Hostile("watcher", "raise SystemExit(4)", "ok", "exits: SystemExit: 4", "", "", group="sbicore"),
)


def write_wheel(plugin: Hostile, folder: Path) -> Path:
    """The plugin as a wheel in this folder."""
    module = plugin.distribution.replace("-", "_")
    info = f"{module}-1.0.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {plugin.distribution}", "Version: 1.0"]
    lines += [f"Requires-Dist: {plugin.requires}"] if plugin.requires else []
    files = {
        f"{module}.py": plugin.source.format(name=plugin.name) if plugin.source.endswith(WAVE) else plugin.source,
        f"{info}/METADATA": "\n".join([*lines, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[{plugin.group}]\n{plugin.name} = {module}:X\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    path = folder / f"{module}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(name, text)
    return path
