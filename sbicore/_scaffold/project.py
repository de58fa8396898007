"""The files of a new plugin: rendered from the templates, then written all or none."""

from __future__ import annotations

import ast
import datetime
import json
import os
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from packaging.version import Version

from .._compat import core_requirements, core_version
from .._kinds import Kind
from ..errors import ConfigError
from .names import Names

__all__ = ["render", "write"]

_TEMPLATES = Path(__file__).with_name("templates")
_SUMMARIES = {
    "inference_network": "A Gaussian posterior with a subnet, an inference network for sbicore.",
    "subnet": "A multilayer perceptron, a subnet for sbicore.",
    "summary_network": "A deep set, a summary network for sbicore.",
    "noise_schedule": "A variance-preserving path, a noise schedule for sbicore.",
    "integrator": "Ralston's Runge-Kutta method, an integrator for sbicore.",
    "scoring_rule": "The asymmetric squared error, a scoring rule for sbicore.",
    "distribution": "Logistic coordinates, a distribution for sbicore.",
    "simulator": "Gaussian parameters and data, a simulator for sbicore.",
}
_REQUIRED = {"inference_network": ("sbicore-mlp", "torch"), "simulator": ("numpy",)}


def render(names: Names, kind: Kind, *, license: str = "MIT", author: str | None = None) -> dict[str, str]:
    """Text of each file of the plugin, by its path.

    Args:
        names: what it is called.
        kind: what it provides.
        license: `MIT`, or `none` for no LICENSE file and no statement.
        author: for pyproject.toml and the LICENSE file.

    Raises:
        ConfigError: an author that is no name, or a class whose name the plugin's code needs itself.
    """
    if author is not None and not (author.strip() and author.isprintable()):
        raise ConfigError(f"--author takes a name, got {author!r}")
    values = {
        "distribution": names.distribution,
        "package": names.package,
        "name": names.component,
        "class": names.class_name,
        "kind": kind.name,
        "title": kind.title,
        "group": kind.group,
        "summary": _SUMMARIES[kind.name],
        "dependencies": json.dumps(_dependencies(kind)),
        "legal": _legal(license, author),
        "year": str(datetime.date.today().year),
        "holder": author or f"the authors of {names.distribution}",
    }
    about, heading, usage = Template(_read(kind.name, "README.md")).substitute(values).partition("## Use\n")
    values |= {"about": about.strip(), "usage": f"{heading}{usage}".strip()}
    files: dict[str, str] = {}
    for pattern, template in _templates(kind):
        path = pattern.replace("dot_", ".").replace("PACKAGE", names.package).replace("NAME", names.component)
        if path in files:
            raise ConfigError(f"The plugin's own tests need the name {names.component}.\nGive another name.")
        files[path] = Template(template).substitute(values)
        if path.endswith(".py"):
            _check_class(names.class_name, ast.parse(files[path]))
    if license == "none":
        del files["LICENSE"]
    return files


def write(files: Mapping[str, str], target: Path) -> None:
    """Make the folder `target` with these files, or leave nothing behind.

    Raises:
        FileExistsError: something of this name is there; it is left as it is.
        OSError: the folder above it is none, or cannot be written to.
    """
    if os.path.lexists(target):
        raise FileExistsError(f"{target} exists and is left as it is\nGive another name, or another folder with --in.")
    try:
        scratch = tempfile.TemporaryDirectory(prefix=".new-plugin-", dir=target.parent)
    except OSError as error:
        reason = "is not a folder" if not target.parent.is_dir() else "cannot be written to"
        raise type(error)(f"{target.parent} {reason}\nGive a folder that is there with --in.") from error
    with scratch as folder:
        draft = Path(folder, target.name)
        for path, text in files.items():
            file = draft / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
        draft.rename(target)


def _templates(kind: Kind) -> Iterator[tuple[str, str]]:
    """Path and template of each file; the README of a kind is a part of that of every kind."""
    for folder in ("every_kind", kind.name):
        for file in sorted((_TEMPLATES / folder).rglob("*.tmpl")):
            path = file.relative_to(_TEMPLATES / folder).as_posix().removesuffix(".tmpl")
            if (folder, path) != (kind.name, "README.md"):
                yield path, _read(folder, path)


def _read(folder: str, path: str) -> str:
    return (_TEMPLATES / folder / f"{path}.tmpl").read_text("utf-8")


def _dependencies(kind: Kind) -> list[str]:
    """What the code imports or names as a default, with the bounds that core has; core below its next major version."""
    running = Version(core_version())
    lowest = f"{running.major}.{running.minor}"
    lowest = lowest if Version(lowest) <= running else running.public
    bounds = core_requirements()
    return [
        f"sbicore>={lowest},<{running.major + 1}",
        *(bounds.get(name, name) for name in _REQUIRED.get(kind.name, ("torch",))),
    ]


def _legal(license: str, author: str | None) -> str:
    """The lines of pyproject.toml about rights and authors."""
    lines = ['license = "MIT"', 'license-files = ["LICENSE"]'] if license == "MIT" else []
    if author:
        lines.append(f"authors = [{{ name = {json.dumps(author, ensure_ascii=False)} }}]")
    return "".join(f"{line}\n" for line in lines)


def _check_class(name: str, tree: ast.Module) -> None:
    """The class shares its name with nothing else that a file imports or defines."""
    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            bound.update(alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.ClassDef):
            bound[node.name] += 1
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound[node.id] += 1
    if bound[name] > 1:
        raise ConfigError(f"The plugin's own code needs the name {name}.\nGive another class: --class My{name}")
