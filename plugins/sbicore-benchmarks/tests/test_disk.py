"""`sbicore benchmark disk` on a store of 20 MiB; with `-m slow`, ten times the memory."""

from __future__ import annotations

import json
import sys

import pytest

from sbicore.cli import main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are those of Linux")


def run(folder, *options):
    assert main(["benchmark", "disk", "--out", str(folder), *options]) == 0
    return json.loads((folder / "disk.json").read_text())


def test_a_store_trains_in_a_limited_process(tmp_path):
    facts = run(tmp_path, "--gib", "0.02", "--limit-gib", "0.5", "--memory-mb", "20")
    assert facts["rows"] == int(0.02 * 2**30 / 1032) and facts["disk_ms"] > 0


@pytest.mark.slow
def test_ten_times_the_memory_trains_at_over_80_percent_of_the_speed(tmp_path):
    facts = run(tmp_path, "--rounds", "3")
    assert facts["store_gib"] > 9.9
    assert facts["speed"] > 0.8
