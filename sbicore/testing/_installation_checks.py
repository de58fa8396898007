"""What holds for the package that a component comes in: metadata, and what importing it costs."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from .. import _index
from ._check import NotApplicable, advised, only, require

__all__ = ["CHECKS", "undeclared"]

LIGHT = """
import sys
sys.path[:] = {path!r}
from importlib import import_module
config = getattr(import_module({module!r}), {name!r})
for example in config.examples():
    example.to_dict()
print("\\0" + ", ".join(sorted({{"torch", "pytest"}} & {{*sys.modules}})))
"""


def _home(config: Any) -> _index.Entry | None:
    """The entry point that provides this config's class."""
    value = f"{type(config).__module__}:{type(config).__qualname__}"
    for entry in _index.entries(config.kind):
        if entry.config is None and (entry.value.replace(" ", "") == value or _leads_to(entry, type(config))):
            return entry
    return None


def _leads_to(entry: _index.Entry, wanted: type) -> bool:
    module, _, attribute = entry.value.partition("[")[0].strip().partition(":")
    return getattr(sys.modules.get(module), attribute, None) is wanted


def _stale(entry: _index.Entry) -> str:
    """What to type where metadata may be older than the folder they were made from."""
    if not _index.is_editable(entry.distribution):
        return ""
    return f"; after a change of pyproject.toml: {_index.reinstall_command(entry.distribution)}"


def _entry(config: Any) -> _index.Entry:
    entry = _home(config)
    if entry is None:
        raise NotApplicable(f"no installed distribution has an entry point that leads to {type(config).__qualname__}")
    return entry


def check_installed(config: Any) -> None:
    """The entry point has the name and the group of the config's `name` and `kind`."""
    entry = _entry(config)
    found = f"the entry point is {entry.name!r}, the config's name {config.name!r}{_stale(entry)}"
    require(entry.name == config.name, found)


@advised
def check_unique(config: Any) -> None:
    """No other installed distribution provides a component of this kind and name: users would have to say whose."""
    entry = _entry(config)
    others = {other.distribution for other in _index.entries(entry.kind, entry.name)} - {entry.distribution}
    require(not others, f"{', '.join(sorted(others))} does, too")


def check_lazy(config: Any) -> None:
    """Importing the config and making its examples import neither torch nor pytest: import them inside `build`."""
    entry = _entry(config)
    code = LIGHT.format(path=sys.path, module=entry.value.partition(":")[0], name=entry.class_name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    require(done.returncode == 0, f"in a new process: {done.stderr.strip().rpartition(chr(10))[2]}")
    printed, _, imported = done.stdout.partition("\0")
    require(not imported.strip(), f"they import {imported.strip()}")
    require(not printed.strip(), f"importing it prints {printed.strip()!r}")


def check_requirements(config: Any) -> None:
    """The distribution requires sbicore with a lower bound and below a major version: `sbicore>=0.1,<1`."""
    entry = _entry(config)
    if _index.same(entry.distribution, "sbicore"):
        raise NotApplicable("this is the core")
    found = [r for r in _requirements(entry) if _index.same(r.name, "sbicore") and not r.extras and not r.marker]
    require(found, f"{entry.distribution} does not require sbicore{_stale(entry)}")
    operators = {specifier.operator for item in found for specifier in item.specifier}
    require(operators & {">=", "~=", "=="}, f"{found[0]} has no lower bound")
    require(operators & {"<", "~=", "=="}, f"{found[0]} has no upper bound")


def check_imports(config: Any) -> None:
    """Every package that the distribution imports is one of its requirements, extras included."""
    entry = _entry(config)
    package = entry.value.partition(":")[0].partition(".")[0]
    declared = {_normal(entry.distribution), *(_normal(r.name) for r in _requirements(entry))}
    missing = undeclared(_source(package), {package}, declared)
    found = "; ".join(f"{name} in {path}" for name, path in sorted(missing.items()))
    require(not missing, f"{entry.distribution} does not require what it imports: {found}{_stale(entry)}")


@advised
def check_typed(config: Any) -> None:
    """The package has a file `py.typed`, so that type checkers read its annotations."""
    package = _entry(config).value.partition(":")[0].partition(".")[0]
    source = _source(package)
    require(source.is_dir(), f"{package} is a single file, beside which nobody looks for py.typed: make it a package")
    require((source / "py.typed").exists(), f"{package} has no py.typed among its package data")


def undeclared(source: Path, own: set[str], declared: set[str]) -> dict[str, str]:
    """Imported top-level packages that no declared distribution provides, each with a file that imports it.

    A file that is run as a script may import what lies beside it.

    Args:
        source: a package's folder, or a module's file.
        own: names that belong to the distribution itself.
        declared: normalised names of the distributions it requires.
    """
    providers = _providers(tuple((path, os.stat(path).st_mtime_ns) for path in sys.path if os.path.isdir(path)))
    found = {}
    for path in sorted(source.rglob("*.py")) if source.is_dir() else [source]:
        for name in _names(path, path.stat().st_mtime_ns):
            beside = source.is_dir() and path.with_name(f"{name}.py").exists() and _is_script(path)
            needed = name not in own and name not in sys.stdlib_module_names and not beside
            if needed and not providers.get(name, {_normal(name)}) & declared:
                found[name] = path.relative_to(source.parent).as_posix()
    return found


@functools.lru_cache(maxsize=1)
def _providers(places: tuple[tuple[str, int], ...]) -> dict[str, set[str]]:
    """Which distributions provide a top-level package, read again once a folder of `sys.path` has changed."""
    return {name: {_normal(d) for d in found} for name, found in metadata.packages_distributions().items()}


def _is_script(path: Path) -> bool:
    """Whether it has a part that only runs when it is the main program."""
    tests = (node.test for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.If))
    return any("__name__" in ast.unparse(test) for test in tests)


@functools.lru_cache(maxsize=1000)
def _names(path: Path, changed: int) -> tuple[str, ...]:
    """What a file imports, read again once it has changed."""
    return tuple(_imported(ast.parse(path.read_text("utf-8"))))


def _imported(node: ast.AST) -> Iterator[str]:
    """Top-level names of absolute imports; those for type checkers alone are left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module and not child.level:
            yield child.module.partition(".")[0]
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from (name for other in child.orelse for name in _imported(other))
        else:
            yield from _imported(child)


def _source(package: str) -> Path:
    """The folder of a package, or the file of a module that is not in one."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise NotApplicable(f"the source of {package} cannot be read")
    return Path(spec.origin) if spec.submodule_search_locations is None else Path(spec.origin).parent


def _requirements(entry: _index.Entry) -> list[Requirement]:
    return [Requirement(line) for line in entry.requires]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


_from_a_package = only(lambda config: _home(config) is not None)

CHECKS = (
    *map(_from_a_package, (check_installed, check_lazy, check_requirements, check_imports)),
    *map(_from_a_package, (check_unique, check_typed)),
)
