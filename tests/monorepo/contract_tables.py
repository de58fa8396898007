"""Writes the tables of checks in docs/authors/contract.md, from the checks of the conformance kit.

`python tests/monorepo/contract_tables.py`, after a check has come, gone, or changed its rule. It imports torch.
"""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

__all__ = ["TARGET", "filled", "sections"]

TARGET = Path(__file__).resolve().parents[2] / "docs" / "authors" / "contract.md"
HEAD = "| check | demands |\n|---|---|\n"
SHARED = {"_config_checks": "Configs", "_installation_checks": "Packages", "_module_checks": "Modules"}


def sections() -> dict[str, list[str]]:
    """Modules of checks by the section of the page that has them."""
    from sbicore.testing._runner import _HOMES

    found = {title: [home] for home, title in SHARED.items()}
    for kind, homes in _HOMES.items():
        found[kind.replace("_", " ").capitalize()] = [home for home in homes if home not in SHARED]
    return found


def filled(page: str) -> str:
    """The page with these tables.

    Raises:
        ValueError: a section has no table.
    """
    for title, homes in sections().items():
        pattern = rf"(^## {title}\n(?:(?!## ).*\n)*?{re.escape(HEAD)})(?:\|.*\n)*"
        page, count = re.subn(pattern, lambda match, homes=homes: match[1] + _rows(homes), page, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{TARGET.name} needs one table under '## {title}', found {count}")
    return page


def _rows(homes: list[str]) -> str:
    from sbicore.testing._check import is_advised, rule

    checks = [check for home in homes for check in import_module(f"sbicore.testing.{home}").CHECKS]
    return "".join(f"| `{c.__name__}` | {rule(c)}{' Advice.' if is_advised(c) else ''} |\n" for c in checks)


if __name__ == "__main__":
    TARGET.write_text(filled(TARGET.read_text("utf-8")), "utf-8")
