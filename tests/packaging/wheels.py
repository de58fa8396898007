"""The wheel house: sdist and wheel of core and of every plugin, built once from a copy of the checkout.

The copy holds what git knows or would add, so leftovers of a checkout do not get into a wheel, and building leaves none
behind. Each wheel is built from its sdist. A distribution is built again only when its files have changed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from layers import ROOT, tools, work

__all__ = ["CORE", "distributions", "tracked", "wheelhouse", "wheels"]

CORE = "sbicore"


def distributions() -> list[str]:
    """Core, then every folder of plugins/: folders are named as what they hold."""
    return [CORE, *sorted(path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml"))]


def tracked() -> list[Path]:
    """Files that git knows or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for line in done.stdout.split("\0") if line and (path := ROOT / line).is_file()]


def wheelhouse() -> Path:
    """A folder with the newest sdist and wheel of each distribution."""
    house = work() / "wheelhouse"
    house.mkdir(exist_ok=True)
    files = tracked()
    stamps = {name: _digest(_sources(name, files)) for name in distributions()}
    stale = [name for name, stamp in stamps.items() if _stamp(house, name) != stamp]
    if stale:
        build_tools = tools()
        with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as pool:
            copy = _copy(files, Path(folder))
            list(pool.map(lambda name: _build(copy, name, house, stamps[name], build_tools), stale))
    for path in set(house.iterdir()) - {path for name in stamps for path in _belongings(house, name)}:
        path.unlink()
    return house


def wheels() -> dict[str, Path]:
    """The newest wheel of each distribution, by name."""
    house = wheelhouse()
    return {name: next(house.glob(f"{_normal(name)}-*.whl")) for name in distributions()}


def _sources(name: str, files: list[Path]) -> Iterator[Path]:
    """The files that a distribution can be made of."""
    for path in files:
        top, *rest = path.relative_to(ROOT).parts
        if (rest[0] == name) if top == "plugins" else (name == CORE and top not in {"docs", "tests"}):
            yield path


def _digest(files: Iterator[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        found.update(f"{path.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _copy(files: list[Path], folder: Path) -> Path:
    """The checkout in another folder."""
    for path in files:
        target = folder / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return folder


def _build(copy: Path, name: str, house: Path, stamp: str, build_tools: Path) -> None:
    """Build in the copy, then replace what the house has."""
    source = copy if name == CORE else copy / "plugins" / name
    with tempfile.TemporaryDirectory(dir=work()) as out:
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", out, str(source)]
        done = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": str(build_tools)}, capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{name} cannot be built:\n{done.stdout}{done.stderr}")
        for path in _belongings(house, name):
            path.unlink(missing_ok=True)
        for path in Path(out).iterdir():
            path.replace(house / path.name)
    _stamp_file(house, name).write_text(stamp, "utf-8")


def _stamp(house: Path, name: str) -> str | None:
    """Of the files that the distribution in the house was built from."""
    path = _stamp_file(house, name)
    return path.read_text("utf-8") if path.exists() else None


def _stamp_file(house: Path, name: str) -> Path:
    return house / f"{_normal(name)}-sources.sha256"


def _belongings(house: Path, name: str) -> list[Path]:
    """What the house has of a distribution."""
    return list(house.glob(f"{_normal(name)}-*"))


def _normal(name: str) -> str:
    """A distribution as it is written in the name of a file."""
    return name.replace("-", "_")
