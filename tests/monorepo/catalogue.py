"""Writes what is known of all components of this tree: `sbicore/_catalogue.json` and `docs/plugins/catalogue.md`.

`python tests/monorepo/catalogue.py`, or `tox -e generate`, after entry points or the first line of a config's docstring
have changed. The file in core holds the plugins' components, for install commands in errors; the page all.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))

HEADER = """\
# Catalogue

Every component of core and of the plugins in this repository, by kind. `sbicore describe NAME` tells more about one.
From a checkout, `pip install` takes folders instead: `.` for core, `./plugins/DISTRIBUTION`, and those of the plugins
that it builds on.
"""
TITLES = ["", "distribution", "install"]


class Component(NamedTuple):
    """An entry point."""

    kind: str
    name: str
    value: str
    distribution: str

    @property
    def class_name(self) -> str:
        """Of the config."""
        return self.value.rpartition(":")[2]

    @property
    def summary(self) -> str:
        """The first line of the config's docstring."""
        module, _, attribute = self.value.partition(":")
        return (inspect.getdoc(getattr(importlib.import_module(module), attribute)) or "").partition("\n")[0]


def project(folder: Path) -> dict[str, Any]:
    """The `project` table of a distribution."""
    found: dict[str, Any] = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    return found


def kinds() -> dict[str, str]:
    """Kinds by entry-point group."""
    from sbicore._kinds import KINDS

    return {kind.group: kind.name for kind in KINDS.values()}


def components(folder: Path) -> Iterator[Component]:
    """What a distribution registers."""
    facts = project(folder)
    for group, points in facts.get("entry-points", {}).items():
        for name, value in points.items():
            if group in kinds():
                yield Component(kinds()[group], name, value, facts["name"])


def catalogue() -> dict[str, dict[str, dict[str, str]]]:
    """Kind -> name -> distribution and class, of every plugin in the tree."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for plugin in PLUGINS:
        for row in components(plugin):
            found.setdefault(row.kind, {})[row.name] = {"distribution": row.distribution, "class": row.class_name}
    return found


def text() -> str:
    """The content of the file in core."""
    return json.dumps(catalogue(), indent=2, sort_keys=True) + "\n"


def page() -> str:
    """The content of the page."""
    from sbicore._kinds import KINDS

    rows = sorted(row for folder in (ROOT, *PLUGINS) for row in components(folder))
    blocks = [HEADER]
    for kind in KINDS.values():
        found = [
            [f"`{row.name}`", f"`sbicore.{kind.namespace}.{row.class_name}`", row.summary, *_source(row.distribution)]
            for row in rows
            if row.kind == kind.name
        ]
        if found:
            blocks += [f"## {kind.title.capitalize()}s\n", _table(["name", "class", *TITLES], found)]
    others = [plugin for plugin in PLUGINS if not list(components(plugin))]
    if others:
        found = [[project(plugin)["description"], *_source(plugin.name)] for plugin in others]
        blocks += ["## Plugins without components\n", _table(TITLES, found)]
    return "\n".join(blocks)


def _source(distribution: str) -> list[str]:
    """A link to what it is, and how to install it."""
    readme = "../../README.md" if distribution == "sbicore" else f"../../plugins/{distribution}/README.md"
    return [f"[{distribution}]({readme})", f"`pip install {distribution}`"]


def _table(titles: list[str], rows: list[list[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


GENERATED = {ROOT / "sbicore" / "_catalogue.json": text, ROOT / "docs" / "plugins" / "catalogue.md": page}

if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), *(str(plugin / "src") for plugin in PLUGINS)]
    for target, content in GENERATED.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content(), "utf-8")
