"""Published observations and reference posteriors: the files inside the sbibm 1.1.0 wheel (MIT licence).

The wheel is downloaded once by pip into a cache, checked against a pinned digest, and read as the zip of CSV
files it is. sbibm itself is never imported and nothing is unpickled.
"""

from __future__ import annotations

import bz2
import difflib
import functools
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sbicore.errors import DataError

__all__ = ["TASKS", "Published", "cache_dir", "fetch", "published"]

RELEASE = "sbibm==1.1.0"
WHEEL = "sbibm-1.1.0-py2.py3-none-any.whl"
SHA256 = "12ecc6b4d327b92f9225f08faa6405e4274fb8e75943d86a53157d1b1bcfaf74"

TASKS = (
    "bernoulli_glm",
    "bernoulli_glm_raw",
    "gaussian_linear",
    "gaussian_linear_uniform",
    "gaussian_mixture",
    "lotka_volterra",
    "sir",
    "slcp",
    "slcp_distractors",
    "two_moons",
)
"""Names of the tasks that have published references."""

OBSERVATIONS = 10
SHARED = {
    "bernoulli_glm_raw": ("bernoulli_glm", "observation_raw.csv"),
    "slcp_distractors": ("slcp", "observation_distractors.csv"),
}
"""Tasks whose parameters and posterior are those of another: its folder, and their own observation in it."""


class Published(NamedTuple):
    """One observation of a task: the data, the parameters behind it, and draws from its posterior."""

    observable: np.ndarray[Any, Any]
    """`(C,)`, float32."""
    true_parameters: np.ndarray[Any, Any]
    """`(D,)`, float32."""
    draws: np.ndarray[Any, Any]
    """`(10000, D)`, float32."""


def cache_dir() -> Path:
    """`SBICORE_CACHE` where set, else `~/.cache/sbicore`."""
    return Path(os.environ.get("SBICORE_CACHE") or Path.home() / ".cache" / "sbicore")


def published(task: str, observation: int) -> Published:
    """What is published for one observation (1 to 10) of a task such as `two_moons`.

    Raises:
        DataError: no such task or observation, or the wheel is not in the cache and cannot be downloaded.
    """
    if task not in TASKS:
        near = difflib.get_close_matches(str(task), TASKS, n=1)
        raise DataError(
            f"Nothing is published for a task {task!r}" + (f"; did you mean {near[0]!r}?" if near else ".") + "\n"
            f"Tasks: {', '.join(TASKS)}"
        )
    number = observation.__index__() if hasattr(observation, "__index__") else 0
    if not 1 <= number <= OBSERVATIONS:
        raise DataError(
            f"There is no observation {observation!r} of {task!r}.\nThere are {OBSERVATIONS}: give 1 to {OBSERVATIONS}."
        )
    home, file = SHARED.get(task, (task, "observation.csv"))
    folder = f"sbibm/tasks/{home}/files/num_observation_{number}/"
    with zipfile.ZipFile(fetch()) as wheel:
        draws = bz2.decompress(wheel.read(folder + "reference_posterior_samples.csv.bz2"))
        return Published(
            _table(wheel.read(folder + file))[0],
            _table(wheel.read(folder + "true_parameters.csv"))[0],
            _table(draws),
        )


def fetch() -> Path:
    """The verified wheel in the cache; downloaded where it is missing or damaged.

    Raises:
        DataError: it cannot be downloaded; the message says what to type.
    """
    return _verified(cache_dir() / WHEEL)


@functools.cache
def _verified(path: Path) -> Path:
    if not _intact(path):
        _download(path)
    return path


def _intact(path: Path) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256


def _download(path: Path) -> None:
    """Let pip download and verify into a folder of its own, then move the wheel into its place."""
    state = "is damaged (another checksum)" if path.exists() else "is missing"
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{RELEASE} --hash=sha256:{SHA256}\n", encoding="utf-8")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--retries", "1", "--no-deps"]
        pip = subprocess.run(
            [*command, "--require-hashes", "--requirement", str(requirements), "--dest", folder],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode != 0 or not _intact(Path(folder) / WHEEL):
            reason = (pip.stderr.strip().splitlines() or ["pip gave no wheel"])[-1]
            raise DataError(
                f"Reference posteriors are read from {path}, which {state} and cannot be downloaded: {reason}\n"
                "Once, with a connection, type:\n"
                f"python -m pip download {RELEASE} --no-deps --dest {path.parent}"
            )
        os.replace(Path(folder) / WHEEL, path)


def _table(text: bytes) -> np.ndarray[Any, Any]:
    return np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1, ndmin=2, dtype=np.float32)
