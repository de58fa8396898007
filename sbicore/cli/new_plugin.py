"""`sbicore new-plugin DIST --kind KIND`: a complete plugin to start from."""

from __future__ import annotations

import argparse
import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    from .._kinds import KINDS

    parser = commands.add_parser("new-plugin", help="write a new plugin to start from")
    parser.add_argument("distribution", metavar="DIST", help="its name and folder, e.g. sbicore-gated-mlp")
    parser.add_argument("--kind", required=True, help=", ".join(KINDS))
    parser.add_argument("--in", dest="folder", metavar="DIR", type=Path, default=Path(), help="folder above (here)")
    parser.add_argument("--class", dest="class_name", metavar="CLASS", help="config class, e.g. GatedMLP (GatedMlp)")
    parser.add_argument("--license", choices=("MIT", "none"), default="MIT", help="default: MIT")
    parser.add_argument("--author", metavar="NAME", help="for pyproject.toml and LICENSE")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check the names, write the folder, print what to do next."""
    from .._kinds import kind_of
    from .._scaffold.names import check_free, names_of
    from .._scaffold.project import render, write

    kind = kind_of(options.kind)
    names = names_of(options.distribution, options.class_name)
    check_free(names, kind)
    files = render(names, kind, license=options.license, author=options.author)
    target = options.folder / names.distribution
    write(files, target)
    print(f"Wrote {target}, a plugin with {kind.a_title} named {names.component!r}:\n")
    for path in sorted(files):
        print(f"  {path}")
    print(f"\nNext:\n\n  {_install(target)}\n  {_test(target)}\n  {_check(names.component, kind.name)}")
    return 0


def _install(target: Path) -> str:
    """With pytest where there is none."""
    return f"python -m pip install -e {shlex.quote(f'{target}' if find_spec('pytest') else f'{target}[testing]')}"


def _test(target: Path) -> str:
    return f"python -m pytest {shlex.quote(str(target))}"


def _check(name: str, kind: str) -> str:
    """With the kind where a component of another one has the name."""
    from .._index import entries

    return f"sbicore check {name}" + (f" --kind {kind}" if entries(None, name) else "")
