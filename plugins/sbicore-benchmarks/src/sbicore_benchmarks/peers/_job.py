"""What the workers of other tools share; they run it in environments where sbicore is missing, so it needs numpy alone.

A worker is started as `python WORKER.py JOB.json`. The job is a JSON object:

    data                 an .npz with parameters (N, D), observables (N, C), observed (O, C), all float32
    out                  where the draws go: float32 (O, draws, D)
    method               one of those that the tool offers
    widths               hidden widths of the network
    steps                training steps, carried out as whole epochs
    batch_size, learning_rate, validation_fraction
    bounds               [lowest, highest] parameters of the prior, or null
    draws                for each observed row
    densities            how many log densities to time, or 0
    seed, threads

The last line of standard output is a JSON object with the facts of the run; all else goes to standard error.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Data(NamedTuple):
    """The arrays of a job."""

    parameters: Array
    observables: Array
    observed: Array


def normal_data(rows: int, observable: Sequence[int], seed: int, parameters: Sequence[int] = (2,)) -> Data:
    """Parameters and an observable of these shapes, all normal: something to train on where only time counts."""
    rng = np.random.default_rng(seed)
    shapes = ((rows, *parameters), (rows, *observable), (1, *observable))
    return Data(*(rng.normal(size=shape).astype(np.float32) for shape in shapes))


def run(work: Callable[[Mapping[str, Any], Data], dict[str, Any]], packages: Sequence[str]) -> None:
    """`answer` with the arrays of the job."""

    def with_data(job: Mapping[str, Any]) -> dict[str, Any]:
        with np.load(job["data"]) as arrays:
            return work(job, Data(*(arrays[name] for name in Data._fields)))

    answer(with_data, packages)


def answer(work: Callable[[Mapping[str, Any]], dict[str, Any]], packages: Sequence[str]) -> None:
    """Do the job named on the command line and print its facts with the versions of the packages."""
    facts_to, sys.stdout = sys.stdout, sys.stderr
    end_with_parent()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    facts = {
        **work(job),
        "memory_mb": peak_memory(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in packages},
    }
    print(json.dumps(facts), file=facts_to)


def end_with_parent() -> None:
    """From now on this process ends soon after the one that started it, however that ends."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def training_rows(job: Mapping[str, Any], rows: int) -> int:
    """How many rows are left to train on."""
    return int((1 - job["validation_fraction"]) * rows)


def epochs_for(job: Mapping[str, Any], rows: int) -> int:
    """The number of epochs that comes nearest to the steps asked for, given N rows."""
    return max(1, round(job["steps"] / max(1, training_rows(job, rows) // job["batch_size"])))


def clocked(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call returns, and how many seconds it took."""
    started = time.perf_counter()
    result = call()
    return result, time.perf_counter() - started


def repeated(call: Callable[[], Any], seconds: float) -> float:
    """Median milliseconds of a call: after 2 that do not count, as many as fit into the seconds, and 3 at least."""
    for _ in range(2):
        call()
    times: list[float] = []
    while len(times) < 3 or sum(times) < seconds:
        times.append(clocked(call)[1])
    return 1e3 * statistics.median(times)


def epoch_facts(seconds: Sequence[float], steps: int) -> dict[str, Any]:
    """The clock of a training: duration of each epoch (validation is in it), and steps of all epochs together.

    `step_ms` is the median over all epochs but the first.
    """
    epochs = len(seconds)
    return {
        "steps": steps,
        "epochs": epochs,
        "step_ms": 1e3 * statistics.median(seconds[1:] or seconds) * epochs / steps,
        "first_epoch_seconds": seconds[0],
    }


def sampling_facts(job: Mapping[str, Any], data: Data, draw: Callable[[Array], Array]) -> dict[str, Any]:
    """Draw for each observed row `(C,)`, write all draws, and state the seconds of each row.

    What a tool compiles on its first call is in the seconds of the first row.

    Raises:
        RuntimeError: the draws of a row are not `(draws, D)`.
    """
    results = [clocked(lambda row=row: draw(row)) for row in data.observed]  # type: ignore[misc]
    shape = (job["draws"], data.parameters.shape[1])
    for draws, _ in results:
        if draws.shape != shape:
            raise RuntimeError(f"expected draws of shape {shape}, got {draws.shape}")
    with open(job["out"], "wb") as file:
        np.save(file, np.stack([draws for draws, _ in results]).astype(np.float32))
    return {"sampling_seconds": [seconds for _, seconds in results], "evaluations": None}


def density_facts(job: Mapping[str, Any], data: Data, log_prob: Callable[[Array, Array], Any]) -> dict[str, Any]:
    """Time log densities of parameters `(densities, D)` given the first observed row `(C,)`: the second call."""
    if not job["densities"]:
        return {"density_seconds": None}
    parameters, observed = data.parameters[: job["densities"]], data.observed[0]
    _, seconds = [clocked(lambda: log_prob(parameters, observed)) for _ in range(2)][-1]
    return {"density_seconds": seconds}


def peak_memory() -> float | None:
    """The largest resident size of this process in MB; None where the system does not tell.

    Linux is asked through /proc: `getrusage` there starts a new process at the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        peaks = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(peaks[0]) / 1024 if peaks else None
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def memory_above(before: float | None) -> float | None:
    """By how many MB the largest resident size has grown since it was `before`."""
    now = peak_memory()
    return None if before is None or now is None else now - before
