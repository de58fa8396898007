"""Other tools that are measured beside ours, each in a virtual environment of its own.

An environment is made on first use, from the pinned requirements in `peers/`, in the cache: its name tells the tool,
the requirements and the Python. A file in it names the finished one; what a killed run left is removed and made again.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from sbicore.errors import SbicoreError

from .published import cache_dir

__all__ = ["PEERS", "Peer", "PeerUnavailable", "environment"]

HERE = Path(__file__).parent / "peers"
NEWEST = 14
"""The last Python 3 that is looked for."""
PROBE = "import ensurepip, sys, venv; print('%d.%d.%d' % sys.version_info[:3])"


class PeerUnavailable(SbicoreError, RuntimeError):
    """The environment of a peer cannot be made here."""


class Peer(NamedTuple):
    """A tool to compare with: what it needs, and what it offers."""

    name: str
    requirements: Path
    """Its packages, all pinned."""
    worker: Path
    """The script that does a job; run by the python of its environment."""
    python: tuple[int, int]
    """The lowest Python that the requirements allow."""
    methods: tuple[str, ...]
    variables: Mapping[str, str]
    """Environment variables of the worker."""


_PEERS = (
    Peer("sbi", HERE / "sbi.txt", HERE / "sbi_worker.py", (3, 11), ("npe", "fmpe", "npse", "nre"), {}),
    Peer(
        "bayesflow_torch",
        HERE / "bayesflow_torch.txt",
        HERE / "bayesflow_worker.py",
        (3, 11),
        ("flow_matching", "diffusion_model", "coupling_flow"),
        {"KERAS_BACKEND": "torch"},
    ),
    Peer(
        "bayesflow_jax",
        HERE / "bayesflow_jax.txt",
        HERE / "bayesflow_worker.py",
        (3, 12),
        ("flow_matching", "diffusion_model", "coupling_flow"),
        {"KERAS_BACKEND": "jax"},
    ),
)
PEERS: Mapping[str, Peer] = {peer.name: peer for peer in _PEERS}
"""All peers by name."""


def environment(peer: Peer) -> Path:
    """The python of a peer's environment, which is made where it is not there yet; that takes minutes.

    Runs that need the same environment at the same time wait for the one that makes it.

    Raises:
        PeerUnavailable: no Python here is new enough, or the packages cannot be installed.
    """
    base, version = _find_python(peer)
    digest = hashlib.sha256(peer.requirements.read_bytes() + version.encode()).hexdigest()[:12]
    folder = cache_dir().absolute() / "peers" / f"{peer.name}-{digest}"
    finished = folder / "finished"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            python = Path(finished.read_text(encoding="utf-8")) if finished.exists() else None
            if python is None or not python.is_file():
                print(f"making the environment of {peer.name} (once, a few minutes) ...", file=sys.stderr, flush=True)
                python = _make(peer, base, folder)
                finished.write_text(str(python), encoding="utf-8")
    except OSError as error:
        raise _unavailable(peer, str(error)) from error
    return python


def _make(peer: Peer, base: str, folder: Path) -> Path:
    """Make the environment in a new folder within this one: a killed run may have left a pip that still writes."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    home = tempfile.mkdtemp(dir=folder)
    python = Path(home, "Scripts/python.exe" if os.name == "nt" else "bin/python")
    install = [str(python), "-I", "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    for command in ([base, "-I", "-m", "venv", home], [*install, "--requirement", str(peer.requirements)]):
        process = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if process.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            raise _unavailable(peer, _reason(process))
    return python


def _reason(process: subprocess.CompletedProcess[str]) -> str:
    """The last error that pip or venv told, else its last line."""
    lines = (process.stderr.strip() or process.stdout.strip()).splitlines() or [f"exit status {process.returncode}"]
    return next((line for line in reversed(lines) if line.lower().startswith("error:")), lines[-1]).strip()


def _unavailable(peer: Peer, reason: str) -> PeerUnavailable:
    return PeerUnavailable(
        f"The environment of {peer.name} cannot be made: {reason}\n"
        "Try again with a connection to a package index, or leave this peer out."
    )


def _find_python(peer: Peer) -> tuple[str, str]:
    """The oldest Python that is new enough, and its version."""
    for minor in range(peer.python[1], NEWEST + 1):
        for candidate in _candidates(minor):
            version = _version(candidate)
            if version.startswith(f"3.{minor}."):
                return candidate, version
    needed = ".".join(map(str, peer.python))
    raise PeerUnavailable(
        f"{peer.name} needs Python {needed} or newer, and none that works and has venv was found.\n"
        f"Install one so that python{needed} is on PATH, or leave this peer out."
    )


def _candidates(minor: int) -> Iterator[str]:
    """Where a Python 3 of this minor version may be: our own, on PATH, and what pyenv has installed."""
    if sys.version_info[1] == minor and sys.executable:
        yield sys.executable
    name = f"python3.{minor}" + (".exe" if os.name == "nt" else "")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(Path, os.get_exec_path()), *sorted(pyenv.glob("versions/*/bin"))]
    yield from (str(folder / name) for folder in folders if (folder / name).exists())


def _version(python: str) -> str:
    """Of a Python that can make environments; empty for one that fails, as a shim without a version does."""
    try:
        process = subprocess.run(
            [python, "-I", "-c", PROBE],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return process.stdout.strip() if process.returncode == 0 else ""
