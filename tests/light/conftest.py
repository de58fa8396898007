"""Plugins that exist for one test only: folders on sys.path that look like installed distributions."""

from __future__ import annotations

import importlib
import sys

import pytest

from sbicore import _extensions, _index

SUBNET = """
from typing import ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.fields import integer


@frozen(kw_only=True)
class Wave(SubnetConfig):
    '''A toy.'''

    name: ClassVar[str] = "wave"
    capabilities: ClassVar[frozenset[str]] = frozenset({"ripple"})
    depth: int = integer(1, ge=1, doc="Depth.")
"""


def _forget():
    _index.rescan()
    _index._session.clear()
    _extensions.manager.cache_clear()


@pytest.fixture(autouse=True)
def _fresh_caches(monkeypatch):
    monkeypatch.delenv("SBICORE_DISABLE", raising=False)
    monkeypatch.delenv("SBICORE_STRICT", raising=False)
    installed = _index.extensions
    monkeypatch.setattr(
        _index, "extensions", lambda: [entry for entry in installed() if entry.distribution != "sbicore-benchmarks"]
    )
    _forget()
    yield
    _forget()


@pytest.fixture
def fake_distribution(tmp_path, monkeypatch):
    """`fake_distribution("acme")` installs the subnet `wave` as `acme:Wave` of acme 1.0.

    `points` are lines of entry_points.txt; `source` is the text of the module `acme`, by default
    `fake_distribution.source`.
    """
    modules = []

    def install(name, *, version="1.0", requires=(), points=None, source=SUBNET):
        module = name.replace("-", "_")
        folder = tmp_path / f"site-{len(modules)}"
        info = folder / f"{module}-{version}.dist-info"
        info.mkdir(parents=True)
        facts = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {line}" for line in requires)]
        (info / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *facts, ""]))
        (info / "entry_points.txt").write_text(points or f"[sbicore.subnets]\nwave = {module}:Wave\n")
        (folder / f"{module}.py").write_text(source)
        modules.append(module)
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        return info

    install.source = SUBNET
    yield install
    for module in modules:
        sys.modules.pop(module, None)
