"""Conformance: whether a component keeps the contract of its kind.

In a test suite, with `pip install sbicore[testing]`:

    from sbicore.testing import parametrize_conformance
    from my_plugin import MySubnet

    @parametrize_conformance([MySubnet(), MySubnet(width=8)])
    def test_conforms(component, check):
        check(component)

Without pytest: `print(check_component(MySubnet()))`, or `sbicore check my_subnet`. Toys let a plugin be
tested with no other plugin installed: `TinySubnet` under a network, `GaussianTask` and, of images, `GaussianFieldTask`
with their exact posteriors, `BrownianPath` for stochastic integrators.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._field_task import GaussianFieldTask
from ._pytest import parametrize_conformance
from ._runner import Report, Result, check_component, checks, examples_of
from .toys import GaussianTask, TinySubnet

if TYPE_CHECKING:
    from ..brownian import BrownianPath

__all__ = [
    "BrownianPath",
    "GaussianFieldTask",
    "GaussianTask",
    "Report",
    "Result",
    "TinySubnet",
    "check_component",
    "checks",
    "examples_of",
    "parametrize_conformance",
]


def __getattr__(name: str) -> Any:
    """`BrownianPath` needs torch, which the rest does not import."""
    if name != "BrownianPath":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ..brownian import BrownianPath

    return BrownianPath
