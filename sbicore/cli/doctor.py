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

_ADVICE = {
    "incompatible": "pip install --upgrade {distribution} sbicore",
    "ambiguous": "say {distribution}/{name}, or uninstall one of them, or leave it out: SBICORE_DISABLE={distribution}",
    "damaged": "{again}, or delete what is left of it",
    "slow": "it should import nothing heavy before it is built: tell its authors, or pip uninstall {distribution}",
    "fails to import": "{again}, or pip uninstall {distribution}",
    "exits": "a plugin must not end the program: tell its authors, or pip uninstall {distribution}",
    "invalid": "tell its authors; sbicore check {distribution}/{name} says more",
}
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
            if row["advice"]:
                print(f"      {row['advice']}")
    return int(any(row["state"] not in {"ok", "disabled"} for row in found["plugins"]))


def examine() -> dict[str, Any]:
    """Versions, machine and plugins as plain values."""
    from .._probe import probe
    from ..registry import plugins

    return {"versions": _versions(), "machine": _machine(), "plugins": [_explained(row) for row in probe(plugins())]}


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


def _explained(row: dict[str, str]) -> dict[str, str]:
    from .._index import reinstall_command

    advice = _ADVICE.get(row["state"].partition(":")[0], "")
    return row | {"advice": advice.format(again=reinstall_command(row["distribution"]), **row)}
