"""Writes sbicore/_catalogue.json: which first-party plugin provides which component.

`python tests/monorepo/catalogue.py`, after a plugin's entry points have changed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "sbicore" / "_catalogue.json"


def project(folder: Path) -> dict[str, Any]:
    """The `project` table of a distribution."""
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def kinds() -> dict[str, str]:
    """Kinds by entry-point group."""
    from sbicore._kinds import KINDS

    return {kind.group: kind.name for kind in KINDS.values()}


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Kind -> name -> distribution and class, of every plugin in the tree."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for folder in sorted((ROOT / "plugins").iterdir()):
        if not (folder / "pyproject.toml").exists():
            continue
        facts = project(folder)
        for group, points in facts.get("entry-points", {}).items():
            for name, value in points.items():
                if group in kinds():
                    row = {"distribution": facts["name"], "class": value.rpartition(":")[2]}
                    found.setdefault(kinds()[group], {})[name] = row
    return found


def text() -> str:
    """The content of the file."""
    return json.dumps(catalogue(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    TARGET.write_text(text(), "utf-8")
