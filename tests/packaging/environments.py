"""Environments to test distributions in: ours from the wheel house, torch from the shared layer, all else installed.

`SBICORE` swaps core for another one, such as `SBICORE='sbicore==0.1.0'` for that release.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from layers import CONSTRAINTS, link, tools, torch_layer
from wheels import CORE, wheels

__all__ = ["install", "make_environment", "run"]


def make_environment(path: Path, *requirements: str) -> Path:
    """A fresh virtual environment in the folder `path`; what was there is removed.

    Args:
        path: the folder.
        requirements: what to install: names of ours (`sbicore-mlp`, `sbicore[testing]`), or anything that pip takes.

    Returns:
        Its Python. Packages installed later with `install` may come from the wheel house, too.
    """
    command = [sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(path)]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(tools())}, check=True)
    python = path.resolve() / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if requirements:
        install(python, *requirements)
    return python


def install(python: Path, *requirements: str, dependencies: bool = True) -> None:
    """Install into the environment of this Python.

    Whatever is required, directly or not, and has the name of one of ours is the wheel of this checkout: pip would
    otherwise prefer what an index has under the name.

    Args:
        python: of a virtual environment.
        requirements: names, with extras and versions as pip takes them.
        dependencies: also what they depend on, and the torch layer; False installs the named packages alone.
    """
    pins = {name: f"{name} @ {wheel.as_uri()}" for name, wheel in wheels().items()}
    pins[CORE] = os.environ.get("SBICORE") or pins[CORE]
    if dependencies:
        link(python, torch_layer())
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder, "constraints.txt")
        constraints.write_text("\n".join([CONSTRAINTS.read_text("utf-8"), *pins.values()]), "utf-8")
        command = [str(python), "-m", "pip", "install", "--quiet", "--no-compile", "-c", str(constraints)]
        subprocess.run([*command, *([] if dependencies else ["--no-deps"]), *requirements], check=True)


def run(program: Path, *arguments: str, cwd: Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """A program of an environment, such as its Python, run in the folder `cwd`; output as text.

    Raises:
        RuntimeError: it failed, and `check`; the message has the output.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    env["PATH"] = f"{program.parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run([str(program), *arguments], cwd=cwd, env=env, capture_output=True, text=True)
    if check and done.returncode:
        raise RuntimeError(f"{program.name} {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done
