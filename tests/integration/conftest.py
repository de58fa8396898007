"""Source trees that look installed, for the length of a test."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import catalogue
import pytest

from sbicore import _extensions, _index


@pytest.fixture
def installed(tmp_path_factory, monkeypatch):
    """`installed(folder)` makes what its pyproject.toml describes visible, here and in subprocesses, from its `src`."""
    before = set(sys.modules)
    used = []

    def install(folder: Path) -> None:
        facts = catalogue.project(folder)
        site = tmp_path_factory.mktemp("site")
        info = site / f"{facts['name'].replace('-', '_')}-{facts['version']}.dist-info"
        info.mkdir()
        lines = [f"Name: {facts['name']}", f"Version: {facts['version']}"]
        lines += [f"Requires-Dist: {line}" for line in facts["dependencies"]]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, ""]), "utf-8")
        lines = []
        for group, points in facts["entry-points"].items():
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines), "utf-8")
        used.append(folder)
        for path in (site, folder / "src"):
            monkeypatch.syspath_prepend(path)
            monkeypatch.setenv("PYTHONPATH", str(path), prepend=os.pathsep)
        _forget()

    yield install
    for name in set(sys.modules) - before:
        file = getattr(sys.modules[name], "__file__", None)
        if file and any(folder in Path(file).parents for folder in used):
            del sys.modules[name]
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    importlib.invalidate_caches()
    _index.rescan()
    _extensions.manager.cache_clear()
