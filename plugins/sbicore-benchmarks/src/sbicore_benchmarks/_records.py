"""Benchmark results as JSON lines: one row for each setting, so that a run can stop and go on."""

from __future__ import annotations

import datetime
import functools
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from sbicore.errors import ConfigError

__all__ = ["Records", "environment", "table", "versions"]

OTHERS = ("torch", "torchdiffeq", "numpy", "scikit-learn")


class Records:
    """The rows of one file. A row is `{"settings": ..., "results": ..., "environment": ...}`.

    `settings in records` tells whether a row was finished by this run or an earlier one, and
    `records[settings]` gives its results. A last line that was cut short is dropped. To measure again, name
    another file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._results: dict[str, dict[str, Any]] = {}
        if self.path.exists():
            text = self.path.read_text(encoding="utf-8")
            whole = text[: text.rfind("\n") + 1]
            if whole != text:
                self.path.write_text(whole, encoding="utf-8")
            for number, line in enumerate(whole.splitlines(), start=1):
                try:
                    row = json.loads(line)
                    self._results[_key(row["settings"])] = row["results"]
                except (ValueError, KeyError, TypeError):
                    raise ConfigError(
                        f"{self.path}, line {number}, is no result of a benchmark\n"
                        "Take the line out, or name another --out."
                    ) from None

    def __contains__(self, settings: Mapping[str, Any]) -> bool:
        return _key(settings) in self._results

    def __getitem__(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        return self._results[_key(settings)]

    def append(self, settings: Mapping[str, Any], results: Mapping[str, Any]) -> None:
        """Write one finished row to the file at once."""
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        facts = {"time": now, "load": load, **environment()}
        row = {"settings": settings, "results": results, "environment": facts}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self._results[_key(settings)] = dict(results)


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A Markdown table; floats with four significant digits."""
    cells = [list(header), *([f"{v:.4g}" if isinstance(v, float) else str(v) for v in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


@functools.cache
def environment() -> dict[str, Any]:
    """Facts about this machine and process that a timing or a score may depend on."""
    import torch

    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "versions": versions(),
        "commit": _commit(),
    }


def versions() -> dict[str, str]:
    """Of sbicore, its plugins and what their results depend on."""
    installed = {str(d.metadata["Name"]).lower().replace("_", "-"): d.version for d in metadata.distributions()}
    return {n: v for n, v in sorted(installed.items()) if n.startswith("sbicore") or n in OTHERS}


def _key(settings: Mapping[str, Any]) -> str:
    return json.dumps(settings, sort_keys=True)


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _commit() -> str | None:
    """The commit of the checkout this file lies in (`-dirty` with changes), or None outside one."""
    try:
        git = subprocess.run(
            ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=40"],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return git.stdout.strip() or None
