"""Fixtures of the packaging tests: wheels of the checkout, and environments to use them in."""

from __future__ import annotations

from pathlib import Path

import environments
import layers
import pytest
import wheels


@pytest.fixture(scope="session")
def wheelhouse() -> Path:
    """Folder with sdist and wheel of core and every plugin, for pip's `--find-links`."""
    return wheels.wheelhouse()


@pytest.fixture(scope="session")
def torch_layer() -> Path:
    """Folder with torch and what it requires, for a .pth line; `make_environment` adds it by itself."""
    return layers.torch_layer()


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """`environment("sbicore", "sbicore-mlp")` is the Python of a fresh environment with these installed."""
    return lambda *requirements: environments.make_environment(tmp_path_factory.mktemp("environment"), *requirements)
