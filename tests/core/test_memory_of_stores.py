"""A fit from disk in a process whose address space is limited to less than the store takes."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import sbicore

STORE_MB, LIMIT_MB, MEMORY_MB = 48, 40, 12
FEATURES = 255

SCRIPT = f"""
import os, resource, sys
import numpy as np
import sbicore

def fit(data, **options):
    model = sbicore.build(
        "flow_matching", subnet_kwargs={{"widths": [8]}}, inference_variables=["theta"], inference_conditions=["x"]
    )
    return model.fit(data, epochs=1, batch_size=512, seed=1, progress=False, compile=False, **options)

rows = np.random.default_rng(0).normal(size=(600, {FEATURES} + 1)).astype(np.float32)
fit({{"theta": rows[:, 0], "x": rows[:, 1:]}})
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * os.sysconf("SC_PAGE_SIZE") + (int(sys.argv[2]) << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
store = sbicore.open_store(sys.argv[1])
try:
    np.empty((len(store), {FEATURES} + 1), np.float32)
except MemoryError:
    print("too large")
print(fit(store, memory_mb={MEMORY_MB}).steps)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are those of Linux")
def test_a_store_of_one_file_trains_in_less_memory_than_it_takes(tmp_path):
    rows = STORE_MB * 2**20 // (4 * (FEATURES + 1))
    theta = np.random.default_rng(0).random(rows, dtype=np.float32)
    x = np.broadcast_to(theta[:, None], (rows, FEATURES)) + np.arange(FEATURES, dtype=np.float32)
    sbicore.write_store(tmp_path / "s", {"theta": theta, "x": x}, part_rows=rows, progress=False)
    found = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "s"), str(LIMIT_MB)],
        env={**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"},  # a thread's arena reserves 64 MiB
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr[-2_000:]
    held = int(MEMORY_MB * 2**20 / 8 / (4 * (FEATURES + 1)))
    assert found.stdout.split("\n")[:2] == ["too large", str((rows - held) // 512)]
