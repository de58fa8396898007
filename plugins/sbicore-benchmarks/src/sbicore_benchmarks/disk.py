"""`sbicore benchmark disk`: training from a store that is larger than the memory, beside training in memory.

The store is written once. Then a process whose address space is limited to `limit` GiB above what its imports take
trains on a part of the rows in memory and on all of them from disk, in turns, and tells the times of a step.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sbicore.errors import SbicoreError

from ._words import as_count, as_folder

__all__ = ["measure", "run"]

FEATURES = 256
_GIB = 1 << 30
_ROW_BYTES = 4 * (2 + FEATURES)
_BATCH_ROWS = 8_192


def run(options: argparse.Namespace) -> int:
    """Write the store if it is not there, measure in a process of its own, and print what was found."""
    import sbicore

    as_folder(options.out)
    as_count(options.rounds, "--rounds")
    rows = int(options.gib * _GIB / _ROW_BYTES)
    folder = options.out / f"disk-{rows}"
    sbicore.write_store(folder, _rows(rows))
    job = {"store": str(folder), "limit": options.limit_gib, "memory_mb": options.memory_mb, "rounds": options.rounds}
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    found = subprocess.run(
        [sys.executable, "-m", "sbicore_benchmarks.disk", json.dumps(job)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if found.returncode:
        raise SbicoreError(f"The process that trains failed (exit status {found.returncode}).")
    facts = json.loads(found.stdout.splitlines()[-1])
    (options.out / "disk.json").write_text(json.dumps(facts, indent=1))
    print(
        f"{facts['rows']:,} rows, {facts['store_gib']:.2f} GiB, within {options.limit_gib} GiB above the imports\n"
        f"a step from disk {facts['disk_ms']:.2f} ms, in memory {facts['memory_ms']:.2f} ms: "
        f"{100 * facts['speed']:.0f} % of the speed in memory"
    )
    return 0


def measure(job: Mapping[str, Any]) -> dict[str, Any]:
    """Times of a step, in turns; the address space of this process is limited first."""
    import resource

    import torch

    import sbicore

    sbicore.build("flow_matching", inference_variables=["theta"], inference_conditions=["x"]).build(
        {"theta": (2,), "x": (FEATURES,)}
    )
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + int(job["limit"] * _GIB),) * 2)
    store = sbicore.open_store(job["store"])
    pieces = range(max(1, min(len(store.pieces), int(job["memory_mb"] * 2**20 / 2 / store.row_bytes / store.sizes[0]))))
    times: dict[str, list[float]] = {"disk": [], "memory": []}
    for turn in range(job["rounds"]):
        times["memory"].append(_step_ms(_together([store.read(i) for i in pieces]), job, epochs=3, seed=turn))
        times["disk"].append(_step_ms(store, job, epochs=1, seed=turn))
    medians = {name: statistics.median(found) for name, found in times.items()}
    return {
        "rows": len(store),
        "store_gib": len(store) * store.row_bytes / _GIB,
        "memory_ms": medians["memory"],
        "disk_ms": medians["disk"],
        "speed": medians["memory"] / medians["disk"],
        "times": times,
    }


def _step_ms(data: Any, job: Mapping[str, Any], *, epochs: int, seed: int) -> float:
    import sbicore

    model = sbicore.build("flow_matching", inference_variables=["theta"], inference_conditions=["x"])
    history = model.fit(
        data,
        epochs=epochs,
        batch_size=256,
        memory_mb=job["memory_mb"],
        validation_fraction=0.01,
        seed=seed,
        compile=False,
        progress=sys.stderr.isatty(),
    )
    return 1e3 * statistics.median(history.seconds) / (history.steps / epochs)


def _rows(rows: int) -> Iterator[dict[str, np.ndarray]]:
    for start in range(0, rows, _BATCH_ROWS):
        rng = np.random.default_rng([1, start])
        count = min(_BATCH_ROWS, rows - start)
        theta = rng.standard_normal((count, 2), dtype=np.float32)
        noise = rng.standard_normal((count, FEATURES), dtype=np.float32)
        yield {"theta": theta, "x": noise + np.repeat(theta, FEATURES // 2, axis=1)}


def _together(parts: list[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(measure(json.loads(sys.argv[1]))))
