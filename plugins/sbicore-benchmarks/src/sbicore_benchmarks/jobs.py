"""A worker in a process of its own: told what to do, waited for, and stopped with the command that started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from sbicore.errors import SbicoreError

from .contenders import Contender, variables

__all__ = ["run_job", "run_worker", "stop_jobs"]

LIMIT = 3 * 3600
"""Seconds after which a process is given up: a tool that rejects draws may never find enough."""

Array = np.ndarray[Any, Any]

_running: set[subprocess.Popen[str]] = set()


def stop_jobs() -> None:
    """Kill all workers of this process."""
    for process in tuple(_running):
        process.kill()


def run_job(contender: Contender, job: Mapping[str, Any], arrays: Mapping[str, Array]) -> tuple[dict[str, Any], Array]:
    """Run a worker in a fresh process; its facts, with `process_seconds`, and its draws `(O, draws, D)`.

    Raises:
        SbicoreError: the process failed, or its draws are not as many as asked, or not finite.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        np.savez(folder / "data.npz", allow_pickle=False, **dict(arrays))
        told = {**job, "data": str(folder / "data.npz"), "out": str(folder / "draws.npy")}
        facts = run_worker(contender, told)
        try:
            draws = np.load(folder / "draws.npy")
        except (ValueError, OSError) as error:
            raise SbicoreError(f"The process of {contender.label} left no draws: {error}") from error
    expected = (len(arrays["observed"]), job["draws"])
    if draws.shape[:2] != expected or not np.isfinite(draws).all():
        found = "values that are not finite" if draws.shape[:2] == expected else f"the shape {draws.shape}"
        raise SbicoreError(f"The draws of {contender.label} have {found}.\nThere is nothing to judge.")
    return facts, draws


def run_worker(contender: Contender, job: Mapping[str, Any]) -> dict[str, Any]:
    """Run a worker in a fresh process; its facts, with `process_seconds`.

    Raises:
        SbicoreError: the process failed.
    """
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary, "job.json")
        file.write_text(json.dumps(job), encoding="utf-8")
        started = time.perf_counter()
        status, output, complaint = _wait(contender, file, job)
        seconds = time.perf_counter() - started
    if status != 0:
        raise SbicoreError(f"The process of {contender.label} failed (exit status {status}):\n{complaint}")
    try:
        facts: dict[str, Any] = json.loads(output.splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise SbicoreError(f"The process of {contender.label} left no facts: {error}") from error
    return {**facts, "process_seconds": seconds}


def _wait(contender: Contender, file: Path, job: Mapping[str, Any]) -> tuple[int, str, str]:
    """Exit status, standard output, and the end of standard error, which is shown meanwhile where progress is."""
    last: deque[str] = deque(maxlen=1_500)
    with subprocess.Popen(
        [*contender.command, str(file)],
        env=variables(contender, job["threads"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        _running.add(process)
        follower = threading.Thread(target=_follow, args=(process, last, job["progress"]), daemon=True)
        timer = threading.Timer(LIMIT, process.kill)
        follower.start()
        timer.start()
        try:
            output = process.stdout.read() if process.stdout else ""
            status = process.wait()
            follower.join()
        finally:
            timed_out = not timer.is_alive()
            timer.cancel()
            process.kill()
            _running.discard(process)
    if timed_out:
        raise SbicoreError(f"The process of {contender.label} took more than {LIMIT / 3600:.0f} hours.")
    return status, output, "".join(last).strip()


def _follow(process: subprocess.Popen[str], last: deque[str], shown: bool) -> None:
    """Keep the end of standard error, and show it as it comes."""
    stream = process.stderr
    while stream and (piece := os.read(stream.fileno(), 4096).decode(errors="replace")):
        last.extend(piece)
        if shown:
            sys.stderr.write(piece)
            sys.stderr.flush()
