"""Conformance: whether a component keeps the contract of its kind. Needs no pytest.

A check is a function of a config that raises where the contract is broken; the first line of its
docstring is the rule. `check_component` runs those of a component, and in a test suite:

    @pytest.mark.parametrize("config", [UViT(), UViT(depth=1)], ids=repr)
    def test_conformance(config):
        check_component(config)
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

from ..errors import ConformanceError
from ._tiny import TinySubnet

__all__ = ["TinySubnet", "check_component", "checks"]

Check = Callable[[Any], None]

_HOMES = {
    "distribution": "_distributions",
    "inference_network": "_networks",
    "integrator": "_integrators",
    "simulator": "_simulators",
    "subnet": "_subnets",
}


def checks(kind: str) -> Iterator[Check]:
    """The checks of a kind: those of every config, then those of what it builds."""
    for home in ("_configs", _HOMES.get(kind)):
        if home:
            yield from importlib.import_module(f"{__name__}.{home}").CHECKS


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
            found = str(error) if type(error) is AssertionError else f"{type(error).__name__}: {error}"
            rule = (check.__doc__ or "").partition("\n")[0]
            raise ConformanceError(
                f"{config.name!r} fails {check.__name__}: {found}\nRule: {rule}\nFor: {config!r}",
                check=check.__name__,
                component=config.name,
            ) from error
