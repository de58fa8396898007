"""The command `sbicore`: one file a subcommand, each with `add(commands)`."""

from __future__ import annotations

import argparse
import importlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

__all__ = ["main"]

_BUILT_IN = ("plugins", "describe", "doctor", "check", "cite", "new-plugin", "quickstart")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a subcommand; the exit status is 0 on success, 1 on an error, 2 on wrong usage."""
    from ..errors import SbicoreError

    if argv is None:
        warnings.showwarning = _show
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = _parser(arguments[0] if arguments and arguments[0] in _BUILT_IN else None)
    options = parser.parse_args(arguments)
    if not hasattr(options, "run"):
        parser.print_help()
        return 2
    try:
        return int(options.run(options) or 0)
    except SbicoreError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 1
    except OSError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _parser(command: str | None) -> argparse.ArgumentParser:
    """With the one built-in subcommand, or with all and those of extensions."""
    from .._compat import core_version

    parser = argparse.ArgumentParser(prog="sbicore", description="Simulation-based inference in PyTorch.")
    parser.add_argument("--version", action="version", version=f"sbicore {core_version()}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in (command,) if command else _BUILT_IN:
        importlib.import_module(f"{__name__}.{name.replace('-', '_')}").add(commands)
    if command is None:
        from .._extensions import add_commands

        add_commands(commands)
    return parser


def _show(message: Warning | str, *_: Any, **__: Any) -> None:
    """A warning as a command prints it: without the place in the code."""
    print(f"warning: {message}", file=sys.stderr)
