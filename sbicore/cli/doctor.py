"""`sbicore doctor`: versions, device, threads, and whether every plugin loads."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib import metadata
from typing import Any

__all__ = ["add"]

_PACKAGES = ("sbicore", "torch", "numpy", "attrs", "pluggy", "torchdiffeq", "safetensors")


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("doctor", help="check the installation")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the findings; 1 where a plugin does not load."""
    found = examine()
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for title in ("versions", "machine"):
            print(f"{title}:")
            for name, value in found[title].items():
                print(f"  {name}: {value}")
        print("plugins:")
        for row in found["plugins"]:
            print(f"  {row['kind']} {row['name']} ({row['distribution']} {row['version']}): {row['state']}")
    return int(any(row["state"] not in {"ok", "disabled"} for row in found["plugins"]))


def examine() -> dict[str, Any]:
    """Versions, machine and plugins as plain values."""
    return {"versions": _versions(), "machine": _machine(), "plugins": _plugins()}


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _machine() -> dict[str, Any]:
    found: dict[str, Any] = {"platform": platform.platform(), "cores": os.cpu_count(), "python": sys.executable}
    try:
        import torch
    except Exception as error:
        return found | {"torch": f"fails to import: {type(error).__name__}: {error}"}
    devices = ["cpu"]
    if torch.cuda.is_available():
        devices += [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return found | {"threads": torch.get_num_threads(), "devices": ", ".join(devices)}


def _plugins() -> list[dict[str, str]]:
    from ..errors import SbicoreError
    from ..registry import plugins, resolve

    rows = plugins()
    for row in rows:
        if row["state"] == "ok":
            try:
                resolve(f"{row['distribution']}/{row['name']}", kind=row["kind"])
            except SbicoreError as error:
                row["state"] = str(error).split("\n")[0]
    return rows
