"""`sbicore cite NAME`: BibTeX of a component and of everything inside it."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "cite",
        help="print BibTeX of what is in use",
        usage="sbicore cite [-h] [NAME [--PART NAME ...]]",
        epilog="Parts are the components inside it, see `sbicore describe NAME`; a solver is cited by its name.",
    )
    parser.add_argument("name", nargs="?", help="e.g. flow_matching, or distribution/name; without one, sbicore itself")
    parser.add_argument("parts", nargs=argparse.REMAINDER, metavar="--PART NAME", help="e.g. --subnet mlp")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the entries."""
    from ..citation import cite

    if options.name is None:
        print(cite())
        return 0
    from ..registry import configure
    from ._names import require_component

    require_component(options.name)
    print(cite(configure(options.name, **_parts(options))))
    return 0


def _parts(options: argparse.Namespace) -> dict[str, str]:
    """The components inside it that were chosen: `--subnet mlp`."""
    import attrs

    from ..registry import guess_kind, resolve

    config = resolve(options.name, kind=guess_kind(options.name))
    parser = argparse.ArgumentParser(prog=f"sbicore cite {options.name}", allow_abbrev=False)
    for field in attrs.fields(config):
        if field.metadata.get("type") == "component":
            parser.add_argument(f"--{field.name.replace('_', '-')}", dest=field.name, default=argparse.SUPPRESS)
    return vars(parser.parse_args(options.parts))
