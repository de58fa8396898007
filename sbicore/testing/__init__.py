"""Conformance: whether a component keeps the contract of its kind. Needs no pytest.

A check is a function of a config that raises where the contract is broken; the first line of its
docstring is the rule. In a test suite:

    @pytest.mark.parametrize("config", UViT.examples(), ids=repr)
    def test_conformance(config):
        check_component(config)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from ..errors import ConformanceError
from ._toys import TinySubnet

__all__ = ["TinySubnet", "check_component", "checks"]

_HOMES = {
    "subnet": "_modules",
    "inference_network": "_modules",
    "integrator": "_numerics",
    "distribution": "_numerics",
    "simulator": "_numerics",
}


def checks(kind: str) -> Iterator[Callable[[Any], None]]:
    """The checks of a kind: those of every config, then those of what it builds."""
    yield from import_module("._configs", __name__).CHECKS
    if kind in _HOMES:
        yield from import_module(f".{_HOMES[kind]}", __name__).CHECKS[kind]


def check_component(config: Any) -> None:
    """Run every check of this config's kind.

    Raises:
        ConformanceError: the first rule that the component breaks, what was found, and for which
            config. Facts: check, component.
    """
    for check in checks(config.kind):
        try:
            check(config)
        except Exception as error:
            found = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
            rule = (check.__doc__ or "").partition("\n")[0]
            raise ConformanceError(
                f"{config.name!r} fails {check.__name__}: {' '.join(found.split())}\nRule: {rule}\nFor: {config!r}",
                check=check.__name__,
                component=config.name,
            ) from error
