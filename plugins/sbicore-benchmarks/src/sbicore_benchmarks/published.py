"""Published observations and reference posteriors: the files inside the sbibm 1.1.0 wheel (MIT licence).

The wheel is downloaded once by pip into a cache, checked against a pinned digest, and read as the zip of CSV
files it is. sbibm itself is never imported and nothing is unpickled.
"""

from __future__ import annotations

import bz2
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

__all__ = ["Published", "cache_dir", "fetch", "published"]

RELEASE = "sbibm==1.1.0"
WHEEL = "sbibm-1.1.0-py2.py3-none-any.whl"
SHA256 = "12ecc6b4d327b92f9225f08faa6405e4274fb8e75943d86a53157d1b1bcfaf74"


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
        DataError: the wheel is not in the cache and cannot be downloaded, or has no such observation.
    """
    folder = f"sbibm/tasks/{task}/files/num_observation_{observation}/"
    with zipfile.ZipFile(fetch()) as wheel:
        if folder + "observation.csv" not in wheel.namelist():
            raise DataError(
                f"{RELEASE} has no observation {observation} of a task {task!r}.\n"
                "Its tasks are two_moons, slcp, gaussian_linear, ... with observations 1 to 10."
            )
        draws = bz2.decompress(wheel.read(folder + "reference_posterior_samples.csv.bz2"))
        return Published(
            _table(wheel.read(folder + "observation.csv"))[0],
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
                f"Reference posteriors are read from {RELEASE}, which is not in {path.parent}: {reason}\n"
                "Once, with a connection, type:\n"
                f"python -m pip download {RELEASE} --no-deps --dest {path.parent}"
            )
        os.replace(Path(folder) / WHEEL, path)


def _table(text: bytes) -> np.ndarray[Any, Any]:
    return np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1, ndmin=2, dtype=np.float32)
