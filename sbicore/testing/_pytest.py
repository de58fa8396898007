"""The front end for pytest: a test for each component and check."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..errors import ConfigError, ConformanceWarning
from ._check import Check
from ._runner import Report, as_component, attempt, checks, expected_of

__all__ = ["parametrize_conformance"]


def parametrize_conformance(
    configs: Iterable[Any], *, expected_failures: Mapping[str, str] | None = None
) -> Callable[[Callable[..., Any]], Any]:
    """Decorator of a test with the arguments `component` and `check`:

        @parametrize_conformance([UViT(), UViT(depth=1, width=8)])
        def test_conforms(component, check):
            check(component)

    Args:
        configs: configs, or config classes, whose first examples are taken.
        expected_failures: names of checks that are known to fail, each with the reason; one that
            passes after all fails the test.

    Raises:
        InvalidComponentError: something else than a config.
        ConfigError: no configs, or an expected failure that names no check.
    """
    import pytest

    components = [as_component(config) for config in configs]
    if not components:
        raise ConfigError("parametrize_conformance needs at least one config, got none")
    asked = [(component, check) for component in components for check in checks(component)]
    expected = expected_of({check.__name__ for _, check in asked}, expected_failures)
    numbers = {id(component): index if len(components) > 1 else "" for index, component in enumerate(components)}
    cases = [
        pytest.param(
            component,
            _as_test(check, expected.get(check.__name__)),
            id=f"{component.name}{numbers[id(component)]}-{check.__name__}",
        )
        for component, check in asked
    ]
    return pytest.mark.parametrize(("component", "check"), cases)


def _as_test(check: Check, reason: str | None) -> Check:
    """The check as a test asks it: skips, warns where it only advises, and fails with a ConformanceError."""

    @functools.wraps(check)
    def ask(config: Any) -> None:
        __tracebackhide__ = True
        import pytest

        result, unforeseen = attempt(check, config, reason)
        if result.status == "skipped":
            pytest.skip(result.found)
        if result.status == "expected":
            pytest.xfail(result.found)
        if result.status == "advice":
            warnings.warn(
                f"{config.name!r}, {result.check}: {result.found}\nRule: {result.rule}",
                ConformanceWarning,
                stacklevel=2,
            )
        Report(config.name, config.kind, repr(config), (result,)).raise_for_failures(unforeseen)

    return ask
