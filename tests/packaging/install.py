"""`python tests/packaging/install.py NAME ...`: install distributions of this checkout into the running environment.

`--all` adds core and every plugin; `--no-deps` leaves out whatever they depend on, torch among it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from environments import install
from wheels import distributions


def main() -> None:
    """Read the command line and install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("requirements", nargs="*", help="e.g. sbicore-mlp, or whatever pip takes")
    parser.add_argument("--all", action="store_true", help="core and every plugin")
    parser.add_argument("--no-deps", action="store_true", help="the named packages alone")
    options = parser.parse_args()
    requirements = [*(distributions() if options.all else []), *options.requirements]
    try:
        install(Path(sys.executable), *requirements, dependencies=not options.no_deps)
    except subprocess.CalledProcessError as error:  # pip has said why
        sys.exit(error.returncode)
    print("Installed:", ", ".join(sorted(f"{found.name} {found.version}" for found in metadata.distributions())))


if __name__ == "__main__":
    main()
