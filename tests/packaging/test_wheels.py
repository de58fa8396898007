"""What is published: metadata and content of each wheel and sdist."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes

import pytest
from layers import ROOT
from wheels import CORE, distributions, tracked, wheels

pytestmark = pytest.mark.packaging
each_distribution = pytest.mark.parametrize("name", distributions())


def content(name):
    """Files of a wheel, and its metadata."""
    with zipfile.ZipFile(wheels()[name]) as archive:
        paths = archive.namelist()
        (facts,) = [path for path in paths if path.endswith(".dist-info/METADATA")]
        return {path for path in paths if ".dist-info/" not in path}, message_from_bytes(archive.read(facts))


def test_descriptions_render(wheelhouse):
    paths = [str(path) for path in wheelhouse.iterdir() if path.suffix in {".whl", ".gz"}]
    assert len(paths) == 2 * len(distributions())
    subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *paths], check=True)


@each_distribution
def test_contents_are_sound(name):
    subprocess.run([sys.executable, "-m", "check_wheel_contents", str(wheels()[name])], check=True)


@each_distribution
def test_the_wheel_is_the_package_and_nothing_else(name):
    package = name.replace("-", "_")
    folder = ROOT if name == CORE else ROOT / "plugins" / name / "src"
    files, _ = content(name)
    assert files == {path.relative_to(folder).as_posix() for path in tracked() if folder / package in path.parents}


@each_distribution
def test_metadata_names_licence_python_and_core(name):
    _, facts = content(name)
    assert (facts["Name"], facts["License-Expression"], facts["Requires-Python"]) == (name, "MIT", ">=3.10")
    assert name == CORE or any(line.startswith("sbicore<1,>=") for line in facts.get_all("Requires-Dist"))


@each_distribution
def test_the_sdist_has_no_leftovers(name, wheelhouse):
    (path,) = wheelhouse.glob(f"{name.replace('-', '_')}-*.tar.gz")
    with tarfile.open(path) as archive:
        found = {line.partition("/")[2] for line in archive.getnames()}
    assert not [line for line in found if line.startswith(("build/", "dist/")) or "__pycache__" in line]
    assert {"pyproject.toml", "README.md"} <= found
