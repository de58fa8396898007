"""Everything sbicore raises or warns about, on one screen.

A message has at most three lines: what was asked, what was found, what to type next.
Each error is also the builtin that a caller would already catch.
"""

from __future__ import annotations

from typing import Any


class SbicoreError(Exception):
    """Base of all errors; `path` says where inside a nested configuration it arose."""

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.path: tuple[str, ...] = ()
        for name, value in facts.items():
            setattr(self, name, value)

    def within(self, segment: str) -> SbicoreError:
        """Prepend one segment (a hyperparameter's name) to the path."""
        self.path = (segment, *self.path)
        return self

    def __str__(self) -> str:
        if not self.path:
            return self.message
        first, *rest = self.message.split("\n")
        return "\n".join([f"{first}  @ $.{'.'.join(self.path)}", *rest])


class PluginError(SbicoreError):
    """A component could not be had from the installed plugins."""


class UnknownComponentError(PluginError, LookupError):
    """No installed plugin provides this name. Facts: kind, name, near, install, disabled."""

    kind: str
    name: str
    near: str | None = None
    install: str | None = None
    disabled: bool = False


class AmbiguousComponentError(PluginError, LookupError):
    """Several distributions provide this name. Facts: candidates."""


class IncompatiblePluginError(PluginError, ImportError):  # type: ignore[misc]
    """A plugin needs another version of the core. Facts: distribution, requirement."""


class BrokenPluginError(PluginError, ImportError):  # type: ignore[misc]
    """A plugin fails when imported or built. Facts: distribution, entry_point."""


class InvalidComponentError(PluginError, TypeError):
    """What was found is not a component of the kind asked for."""


class ConfigError(SbicoreError, ValueError):
    """A hyperparameter or option has a value that cannot work."""


class UnknownHyperparameterError(ConfigError, TypeError):
    """A hyperparameter or option of this name does not exist. Facts: name, near."""

    name: str
    near: str | None = None


class DataError(SbicoreError, ValueError):
    """Data are missing, empty, non-finite, or named differently. Facts: variable."""


class ShapeError(DataError):
    """An array has another shape than agreed. Facts: variable, expected, got."""


class NotBuiltError(SbicoreError, RuntimeError):
    """Something needs a trained or built object first."""


class SimulatorError(SbicoreError, RuntimeError):
    """A simulator function failed or returned something unusable."""


class TrainingError(SbicoreError, RuntimeError):
    """Training led to no usable weights; those from before it are kept."""


class IntegrationError(SbicoreError, RuntimeError):
    """A solver met a non-finite state, an underflowing step or its budget. Facts: method, t, rows."""


class SamplingError(SbicoreError, RuntimeError):
    """Draws could not be made within the budget."""


class ArtifactError(SbicoreError, ValueError):
    """A file is not a readable sbicore artifact."""


class ConformanceError(SbicoreError, AssertionError):
    """A component breaks the contract of its kind. Facts: check, component, report."""


class ArtifactWarning(UserWarning):
    """A file will not be readable everywhere, and why."""


class PluginWarning(UserWarning):
    """An extension or plugin was left out, and why."""


class ConformanceWarning(UserWarning):
    """A component could be better in a way that breaks no contract."""


class DataWarning(UserWarning):
    """Data were changed or dropped before use, with the count."""


class TrainingWarning(UserWarning):
    """Training ended early or skipped steps, with the count."""


class SamplingWarning(UserWarning):
    """Draws need a second look, with the count."""
