"""Which checks are asked of a config, and the report of their results. Needs neither pytest nor torch."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from .._messages import did_you_mean, listing
from ..config import Config
from ..errors import ConfigError, ConformanceError, InvalidComponentError
from ._check import Check, NotApplicable, applies, is_advised, is_decisive, rule

__all__ = [
    "Report",
    "Result",
    "as_component",
    "attempt",
    "check_component",
    "checks",
    "examples_of",
    "expected_of",
]

_FOREIGN = ("sbicore", "torch", "attrs", "attr", "json", "contextlib")
_HOMES = {
    "inference_network": (
        "_network_checks",
        "_loss_checks",
        "_draw_checks",
        "_composition_checks",
        "_network_density_checks",
        "_network_subnet_checks",
        "_learning_checks",
    ),
    "subnet": ("_subnet_facts", "_module_checks", "_subnet_checks", "_image_checks"),
    "summary_network": ("_summary_facts", "_module_checks", "_summary_checks"),
    "noise_schedule": ("_schedule_checks",),
    "integrator": ("_integrator_checks", "_stochastic_checks"),
    "scoring_rule": ("_rule_checks", "_propriety_checks"),
    "distribution": ("_distribution_checks",),
    "simulator": ("_simulator_checks",),
}


class Result(NamedTuple):
    """One check: `passed`, `failed`, `advice`, `expected` (a failure that was announced) or `skipped`."""

    check: str
    status: str
    rule: str
    found: str = ""


class Report(NamedTuple):
    """The results of all checks of one component; printing it gives a line each."""

    name: str
    kind: str
    config: str
    results: tuple[Result, ...]

    @property
    def failures(self) -> tuple[Result, ...]:
        """Those that failed."""
        return tuple(result for result in self.results if result.status == "failed")

    @property
    def passed(self) -> bool:
        """Whether none failed."""
        return not self.failures

    def raise_for_failures(self, cause: Exception | None = None) -> None:
        """Do nothing, or raise.

        Args:
            cause: an exception of the component, so that its traceback is shown.

        Raises:
            ConformanceError: what failed first, the rule, and how many more. Facts: check,
                component, report.
        """
        __tracebackhide__ = True
        if self.passed:
            return
        first, *others = self.failures
        more = f"\nAlso: {', '.join(result.check for result in others)}" if others else f"\nFor: {self.config}"
        raise ConformanceError(
            f"{self.name!r} fails {first.check}: {first.found}\nRule: {first.rule}{more}",
            check=first.check,
            component=self.name,
            report=self,
        ) from cause

    def __str__(self) -> str:
        width = max((len(result.check) for result in self.results), default=0)
        lines = [f"{self.kind.replace('_', ' ')} {self.name}: {self.config}"]
        for result in self.results:
            lines.append(f"  {result.status:8}  {result.check:{width}}  {result.found}".rstrip())
            if result.status in {"failed", "advice"}:
                lines.append(f"  {'':8}  {'':{width}}  Rule: {result.rule}")
        return "\n".join(lines)


def checks(config: Any) -> Iterator[Check]:
    """The checks that this config's kind and capabilities ask for: configs first, then what they build."""
    for home in ("_config_checks", "_installation_checks", *_HOMES.get(config.kind, ())):
        yield from (check for check in import_module(f"{__package__}.{home}").CHECKS if applies(check, config))


def attempt(check: Check, config: Any, reason: str | None = None) -> tuple[Result, Exception | None]:
    """The result of one check, and what it raised if that was neither of the kit's own.

    Args:
        check: what to ask.
        config: of which component.
        reason: why it is expected to fail, if it is.
    """

    def result(status: str, found: object = "") -> Result:
        return Result(check.__name__, status, rule(check), " ".join(str(found).split()))

    unforeseen = None
    try:
        with _settled():
            check(config)
    except NotApplicable as cause:
        return result("skipped", cause), None
    except AssertionError as error:
        found = result("advice" if is_advised(check) else "failed", error)
    except Exception as error:
        found, unforeseen = result("failed", f"{type(error).__name__}: {error}{_place(error)}"), error
    else:
        found = result("passed")
        if reason is not None:
            found = result("failed", f"it passes, but was expected to fail: {reason}")
        return found, None
    if reason is not None:
        found, unforeseen = found._replace(status="expected", found=f"{found.found} (expected: {reason})"), None
    return found, unforeseen


def _place(error: BaseException) -> str:
    """The innermost line of the component's own code that the exception came through."""
    place, trace = "", error.__traceback__
    foreign = tuple(str(Path(getattr(sys.modules.get(name), "__file__", None) or "-").parent) for name in _FOREIGN)
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((*foreign, "<")):
            place = f" ({Path(file).name}, line {trace.tb_lineno})"
        trace = trace.tb_next
    return place


@contextmanager
def _settled() -> Iterator[None]:
    """Every check finds torch's default generator alike, and leaves it to the caller as it was."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(1)
        yield


def check_component(
    config: Any, *, expected_failures: Mapping[str, str] | None = None, on_failure: str = "raise"
) -> Report:
    """Run every check of this config's kind and capabilities.

    Args:
        config: a config, or a config class, whose first example is taken.
        expected_failures: names of checks that are known to fail, each with the reason. One that
            passes after all is a failure: take it out.
        on_failure: `raise`, or `report` to return the report whatever it says.

    Raises:
        ConformanceError: a check failed. Facts: check, component, report.
        InvalidComponentError: no config.
        ConfigError: an expected failure that names no check of this component.
    """
    if on_failure not in {"raise", "report"}:
        raise ConfigError(f"on_failure must be 'raise' or 'report', got {on_failure!r}")
    config = as_component(config)
    asked = list(checks(config))
    expected = expected_of((check.__name__ for check in asked), expected_failures)
    found: list[tuple[Result, Exception | None]] = []
    for check in asked:
        found.append(attempt(check, config, expected.get(check.__name__)))
        if is_decisive(check) and found[-1][0].status == "failed":
            break
    report = Report(config.name, config.kind, repr(config), tuple(result for result, _ in found))
    if on_failure == "raise":
        report.raise_for_failures(next((error for result, error in found if result.status == "failed"), None))
    return report


def as_component(config: Any) -> Any:
    """A config: the one given, or the first example of the class given."""
    if isinstance(config, type) and issubclass(config, Config):
        config = examples_of(config)[0]
    if isinstance(config, Config) and not isinstance(getattr(config, "name", None), str):
        raise InvalidComponentError(
            f"{type(config).__name__} does not say its name\nAdd to the class: name: ClassVar[str] = ..."
        )
    if not isinstance(config, Config) or not hasattr(config, "kind"):
        raise InvalidComponentError(
            f"The conformance checks take a config with a kind and a name, got {config!r}\n"
            "Give for instance: check_component(MySubnet())"
        )
    return config


def examples_of(component: type[Config]) -> tuple[Config, ...]:
    """The examples of a config class, at least one.

    Raises:
        InvalidComponentError: they cannot be made, and why.
    """
    try:
        found = tuple(component.examples())
    except Exception as error:
        raise InvalidComponentError(
            f"{component.__name__}.examples() fails: {type(error).__name__}: {str(error).partition(chr(10))[0]}\n"
            "By default it is the config without arguments: give every field a default that its bounds allow, or "
            "override examples()."
        ) from error
    if not found:
        raise InvalidComponentError(f"{component.__name__}.examples() is empty\nGive at least one config.")
    return found


def expected_of(names: Iterable[str], expected: Mapping[str, str] | None) -> dict[str, str]:
    """The expected failures, each with the name of a check that is asked, and a reason."""
    known = sorted(names)
    for name, reason in (expected or {}).items():
        if name not in known:
            hint = did_you_mean(name, known) or f"\nChecks: {listing(known)}"
            raise ConfigError(f"expected_failures: no check {name!r} is asked here{hint}")
        if not isinstance(reason, str) or not reason.strip():
            raise ConfigError(f"expected_failures: say why {name!r} fails, got {reason!r}")
    return dict(expected or {})
