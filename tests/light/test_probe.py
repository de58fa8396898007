"""Plugins are tried in processes of their own, so that nothing they do hurts the caller."""

from __future__ import annotations

import os

import pytest

import sbicore
from sbicore import _probe

HOSTILE = {
    "raises": ("raise ValueError('two\\nlines')", "fails to import: ValueError: two lines"),
    "needs": ("import not_there_at_all", "fails to import: ModuleNotFoundError: No module named 'not_there_at_all'"),
    "stops": ("raise SystemExit(3)", "exits: SystemExit: 3"),
    "dies": ("import os; os._exit(7)", "exits: importing it ends the process with status 7"),
    "hangs": ("import time; time.sleep(60)", "slow: not imported within 2 s"),
    "number": ("X = 3", "invalid: hostile:X of hostile, registered as 'x', is not a SubnetConfig: 3"),
    "renamed": ("Y = 3", "fails to import: AttributeError: module 'hostile' has no attribute 'X'"),
    "chatty": ("print('\"ok\"'); raise OSError", "fails to import: OSError:"),
}


def states():
    """Of what was installed for the test; each other distribution would cost a process more."""
    made = [row for row in sbicore.plugins() if row["distribution"] in {"acme", "hostile", "watcher"}]
    return {row["name"]: row["state"] for row in _probe.probe(made)}


@pytest.mark.parametrize(("source", "state"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_plugin_is_described_and_the_others_are_not_hurt(source, state, fake_distribution, monkeypatch):
    if "sleep" in source:
        monkeypatch.setattr(_probe, "LIMIT", 2.0)
    fake_distribution("acme")
    fake_distribution("hostile", points="[sbicore.subnets]\nx = hostile:X\n", source=source)
    found = states()
    assert found["x"].startswith(state)
    assert found["wave"] == "ok"


def test_what_comes_after_the_one_that_ends_the_process_is_still_tried(fake_distribution):
    source = "def __getattr__(name):\n    import os\n    os._exit(int(name[1:]))\n"
    points = "[sbicore.subnets]\na = acme:x1\nb = acme:x2\n"
    fake_distribution("acme", points=points, source=source)
    found = states()
    assert found["a"] == "exits: importing it ends the process with status 1"
    assert found["b"] == "exits: importing it ends the process with status 2"


def test_examples_that_fail_are_told(fake_distribution):
    source = """
from typing import ClassVar
from sbicore.config import SubnetConfig, frozen
from sbicore.fields import integer

@frozen(kw_only=True)
class Wave(SubnetConfig):
    name: ClassVar[str] = "wave"
    depth: int = integer(doc="Required, and examples() does not say so.")
"""
    fake_distribution("acme", source=source)
    assert states()["wave"].startswith("invalid: examples() fails: ConfigError: 'wave' needs depth")


@pytest.mark.parametrize(
    ("source", "state"),
    [
        ("from sbicore.hookspecs import hookimpl\n@hookimpl\ndef sbicore_cli(commands): ...\n", "ok"),
        ("from sbicore.hookspecs import hookimpl\n@hookimpl\ndef sbicore_clu(commands): ...\n", "fails to import: "),
        ("raise SystemExit", "exits: "),
    ],
)
def test_extensions_are_tried_too(source, state, fake_distribution):
    fake_distribution("watcher", points="[sbicore]\nwatch = watcher\n", source=source)
    assert states()["watch"].startswith(state)


def test_what_is_switched_off_is_not_tried(fake_distribution, monkeypatch, tmp_path):
    monkeypatch.setenv("SBICORE_DISABLE", "acme")
    fake_distribution("acme", source=f"open({os.fspath(tmp_path / 'touched')!r}, 'w')")
    assert states()["wave"] == "disabled"
    assert not (tmp_path / "touched").exists()
