"""Packages that several environments share: one folder, installed once, seen through one line of a .pth file.

torch with what it requires takes 20 s and close to 1 GB. An environment that looks into a layer of it costs nothing,
and pip sees torch there as installed. Layers and the wheel house lie in the folder `SBICORE_PACKAGING`; without the
variable, in a temporary folder of this process.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["ROOT", "link", "tools", "torch_layer", "work"]

ROOT = Path(__file__).resolve().parents[2]
CONSTRAINTS = ROOT / "tests" / "constraints.txt"


@functools.cache
def work() -> Path:
    """The folder that holds what environments share."""
    if folder := os.environ.get("SBICORE_PACKAGING"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        return Path(folder).resolve()
    return Path(_scratch().name)


def torch_layer() -> Path:
    """torch, what it requires, and numpy and scipy, which torchdiffeq requires."""
    return _layer("torch", "torch", "numpy", "scipy")


def tools() -> Path:
    """What builds wheels and makes environments; for PYTHONPATH, no environment sees it."""
    return _layer("tools", "build", "setuptools>=77", "virtualenv")


def link(python: Path, layer: Path) -> None:
    """Let an environment see the packages of a layer, after its own."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-I", "-c", ask], capture_output=True, text=True, check=True)
    Path(done.stdout.strip(), f"{layer.name}.pth").write_text(f"{layer}\n", "utf-8")


def _layer(name: str, *requirements: str) -> Path:
    """The folder of a layer; its name changes with the interpreter, the requirements and the constraints."""
    facts = [sys.version, sys.platform, *requirements, CONSTRAINTS.read_text("utf-8")]
    target = work() / f"{name}-{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}"
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=work()) as folder:
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-compile"]
            subprocess.run([*command, "--target", f"{folder}/new", "-c", str(CONSTRAINTS), *requirements], check=True)
            _move(Path(folder, "new"), target)
    return target


def _move(source: Path, target: Path) -> None:
    """Rename, unless another process was faster."""
    try:
        source.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(source)


@functools.cache
def _scratch() -> tempfile.TemporaryDirectory[str]:
    """Removed when the process ends."""
    return tempfile.TemporaryDirectory(prefix="sbicore-packaging-")
